//! Test generator: which test functions are there?
//!
//! It generates one function for each file below `attacks`, `conformance` and `programs`, so that a
//! new case is a new file with a name of its own in the report.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

fn main() {
    let output = PathBuf::from(std::env::var_os("OUT_DIR").expect("cargo says where to write"));
    for family in ["attacks", "conformance", "programs"] {
        println!("cargo::rerun-if-changed={family}");
        for folder in entries(Path::new(family))
            .into_iter()
            .filter(|path| path.is_dir())
        {
            println!("cargo::rerun-if-changed={}", folder.display());
            let class = folder
                .file_name()
                .expect("a folder has a name")
                .to_string_lossy()
                .into_owned();
            fs::write(
                output.join(format!("{family}_{class}.rs")),
                functions(family, &folder),
            )
            .expect("the output folder is writable");
        }
    }
}

fn functions(family: &str, folder: &Path) -> String {
    let mut text = String::new();
    for file in entries(folder) {
        let name = file
            .file_name()
            .expect("a file has a name")
            .to_string_lossy()
            .into_owned();
        if !["py", "js", "ts", "wat"]
            .iter()
            .any(|extension| name.ends_with(&format!(".{extension}")))
        {
            continue;
        }
        let function: String = name
            .to_lowercase()
            .chars()
            .map(|c| if c.is_ascii_alphanumeric() { c } else { '_' })
            .collect();
        let module = if family == "attacks" {
            "attack"
        } else {
            family
        };
        writeln!(
            text,
            "#[test]\nfn {function}() {{\n    glovebox_tests::{module}::check({:?});\n}}",
            file.display().to_string()
        )
        .expect("a string takes everything");
    }
    text
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let found = fs::read_dir(folder)
        .unwrap_or_else(|error| panic!("cannot list `{}`: {error}", folder.display()));
    let mut paths: Vec<PathBuf> = found
        .map(|entry| entry.expect("an entry can be read").path())
        .collect();
    paths.sort();
    paths
}
