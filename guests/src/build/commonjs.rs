//! CommonJS bundler: how do npm packages become one script?
//!
//! Each file that is reached from the entries becomes a function in a table, under a number; a
//! small loader does what `require` does.

use super::toolchain::Package;
use anyhow::{Context as _, Result, bail};
use std::collections::HashMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Component, Path, PathBuf};

/// The text before and after the table of modules. A module is a function and, by request, the
/// numbers of what it requires.
const BEFORE: &str = "((outside) => {\nconst modules = [\n";
const AFTER: &str = "];
const loaded = [];
const load = (number) => {
  if (!loaded[number]) {
    const module = loaded[number] = { exports: {} };
    const [define, numbers] = modules[number];
    define.call(module.exports, module, module.exports, (request) => {
      return request in numbers ? load(numbers[request]) : outside(request);
    });
  }
  return loaded[number].exports;
};
";

/// One expression: a function that gives an object with a function for each of `entries`, which
/// gives its exports. An entry is the name of a package, or one of its files.
///
/// What is required from packages that are not given (such as Node's own) is asked of the function
/// that the expression is called with.
///
/// # Errors
///
/// Where a file cannot be read, or requires a file of its own package that is not there.
pub(super) fn bundle(packages: &[Package], entries: &[&str]) -> Result<String> {
    let mut table = Table {
        packages,
        numbers: HashMap::new(),
        files: Vec::new(),
    };
    let mut exports = String::new();
    for entry in entries {
        let file = table
            .resolve(Path::new(""), entry)?
            .with_context(|| format!("no package has the entry `{entry}`"))?;
        writeln!(exports, "  {entry:?}: () => load({}),", table.number(file))?;
    }
    let mut text = BEFORE.to_owned();
    let mut next = 0;
    while let Some(file) = table.files.get(next).cloned() {
        let source = fs::read_to_string(&file)
            .with_context(|| format!("cannot read `{}`", file.display()))?;
        let mut numbers = String::new();
        for request in requests(&source) {
            if let Some(target) = table.resolve(&file, request)? {
                write!(numbers, "{request:?}: {}, ", table.number(target))?;
            }
        }
        // The line comment may be the last thing in a file. V8 compiles a function in parentheses
        // at once, and need not look through it first.
        write!(
            text,
            "[(function (module, exports, require) {{\n{source}\n}}), {{ {numbers}}}],\n"
        )?;
        next += 1;
    }
    text.push_str(AFTER);
    write!(text, "return {{\n{exports}}};\n}})")?;
    Ok(text)
}

/// The files of a bundle, by number.
struct Table<'a> {
    packages: &'a [Package],
    numbers: HashMap<PathBuf, usize>,
    files: Vec<PathBuf>,
}

impl Table<'_> {
    fn number(&mut self, file: PathBuf) -> usize {
        let next = self.files.len();
        *self.numbers.entry(file).or_insert_with_key(|file| {
            self.files.push(file.clone());
            next
        })
    }

    /// The file that a request of `from` means, or nothing where its package is not given.
    fn resolve(&self, from: &Path, request: &str) -> Result<Option<PathBuf>> {
        if request.starts_with('.') {
            let target = normal(&from.with_file_name(request));
            let target = existing(&target).with_context(|| {
                format!(
                    "`{}` requires `{request}`, which is not there",
                    from.display()
                )
            })?;
            return Ok(Some(target));
        }
        // A slash at the end only says that Node's own module is not meant.
        let request = request.trim_end_matches('/');
        for package in self.packages {
            if request == package.name {
                return main_file(&package.directory).map(Some);
            }
            if let Some(inside) = request
                .strip_prefix(package.name.as_str())
                .and_then(|rest| rest.strip_prefix('/'))
            {
                let target = existing(&package.directory.join(inside));
                return target
                    .map(Some)
                    .with_context(|| format!("package `{}` has no `{inside}`", package.name));
            }
        }
        Ok(None)
    }
}

/// The file that a package's name stands for.
fn main_file(directory: &Path) -> Result<PathBuf> {
    let path = directory.join("package.json");
    let text =
        fs::read_to_string(&path).with_context(|| format!("cannot read `{}`", path.display()))?;
    let package: serde_json::Value =
        serde_json::from_str(&text).with_context(|| format!("`{}` is not JSON", path.display()))?;
    let main = package
        .get("main")
        .and_then(|main| main.as_str())
        .unwrap_or("index.js");
    let Some(file) = existing(&normal(&directory.join(main))) else {
        bail!("`{}` names a main file that is not there", path.display());
    };
    Ok(file)
}

/// The file itself, or with the extension or folder index that Node would add.
fn existing(path: &Path) -> Option<PathBuf> {
    let mut with_extension = path.as_os_str().to_owned();
    with_extension.push(".js");
    [
        path.to_owned(),
        PathBuf::from(with_extension),
        path.join("index.js"),
    ]
    .into_iter()
    .find(|candidate| candidate.is_file())
}

/// The path without `.` and `..`, so that a file has one number however it is asked for.
fn normal(path: &Path) -> PathBuf {
    let mut out = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => {
                out.pop();
            }
            Component::CurDir => {}
            other => out.push(other),
        }
    }
    out
}

/// Returns what a module requires by a plain string, each once. Good enough for the pinned
/// packages, whose every `require` is of that form.
fn requests(source: &str) -> Vec<&str> {
    let mut found = Vec::new();
    for rest in source.split("require(").skip(1) {
        let quoted = rest.strip_prefix('"').and_then(|rest| rest.split_once('"'));
        let quoted = quoted.or_else(|| {
            rest.strip_prefix('\'')
                .and_then(|rest| rest.split_once('\''))
        });
        if let Some((request, after)) = quoted
            && after.starts_with(')')
            && !found.contains(&request)
        {
            found.push(request);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn package(root: &Path, name: &str, files: &[(&str, &str)]) -> Package {
        let directory = root.join(name.replace('/', "-"));
        for (path, content) in files {
            let path = directory.join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, content).unwrap();
        }
        Package {
            name: name.to_owned(),
            directory,
        }
    }

    #[test]
    fn every_file_that_is_reached_is_there_once() {
        let root = tempfile::tempdir().unwrap();
        let packages = [
            package(
                root.path(),
                "main",
                &[
                    ("package.json", r#"{"main": "./dist/index"}"#),
                    (
                        "dist/index.js",
                        "require('./a'); require(\"../dist/a.js\"); require('@s/other/lib'); require('fs') // end",
                    ),
                    ("dist/a.js", "exports.a = require('@s/other')"),
                    ("dist/unused.js", "unused"),
                ],
            ),
            package(
                root.path(),
                "@s/other",
                &[
                    ("package.json", "{}"),
                    ("index.js", "index"),
                    ("lib/index.js", "lib"),
                ],
            ),
        ];
        let text = bundle(&packages, &["main", "@s/other/lib/index.js"]).unwrap();
        assert!(
            text.contains("{ \"./a\": 2, \"../dist/a.js\": 2, \"@s/other/lib\": 1, }"),
            "{text}"
        );
        assert!(text.contains("{ \"@s/other\": 3, }"), "{text}");
        assert!(!text.contains("unused"), "{text}");
        assert!(
            text.ends_with(
                "return {\n  \"main\": () => load(0),\n  \"@s/other/lib/index.js\": () => load(1),\n};\n})"
            ),
            "{text}"
        );
        let error = bundle(&packages, &["gone"]).unwrap_err().to_string();
        assert_eq!(error, "no package has the entry `gone`");
    }

    #[test]
    fn a_missing_file_of_a_package_is_named() {
        let root = tempfile::tempdir().unwrap();
        let packages = [package(
            root.path(),
            "main",
            &[("package.json", "{}"), ("index.js", "require('./gone')")],
        )];
        let error = bundle(&packages, &["main"]).unwrap_err().to_string();
        assert!(
            error.ends_with("requires `./gone`, which is not there"),
            "{error}"
        );
    }
}
