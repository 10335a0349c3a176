//! Repository files: where is the repository, and what is in it?

use std::path::{Path, PathBuf};

/// The folder of the tests.
#[must_use]
pub fn tests_folder() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The folder of the whole repository.
///
/// # Panics
///
/// Never: the tests are in a folder of the repository.
#[must_use]
pub fn root() -> &'static Path {
    tests_folder()
        .parent()
        .expect("the tests lie in a folder of the repository")
}

/// The program `glovebox` that was built together with this test.
///
/// # Panics
///
/// If it is missing; the message says how to build it.
#[must_use]
pub fn program() -> PathBuf {
    let test = std::env::current_exe().expect("a process knows its program");
    let found = test
        .ancestors()
        .skip(1)
        .take(3)
        .map(|folder| folder.join("glovebox"))
        .find(|path| path.is_file());
    found.unwrap_or_else(|| {
        panic!(
            "no `glovebox` beside `{}`; run `cargo build --release --workspace` first",
            test.display()
        )
    })
}

/// Returns the repository's own text files, without build output, downloads and `.git`.
///
/// # Panics
///
/// If a folder cannot be listed.
#[must_use]
pub fn files() -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![root().to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).expect("a folder can be listed") {
            let path = entry.expect("an entry can be read").path();
            let name = path
                .file_name()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned();
            // In a worktree, `.git` is a file.
            if path.is_symlink() || name == ".git" {
                continue;
            }
            if !path.is_dir() {
                found.push(path);
            } else if !["target", "node_modules", "__pycache__", "dist"].contains(&name.as_str()) {
                folders.push(path);
            }
        }
    }
    found.sort();
    found
}

/// Returns the path of a file of the repository, relative to its root.
#[must_use]
pub fn relative(path: &Path) -> String {
    path.strip_prefix(root())
        .unwrap_or(path)
        .display()
        .to_string()
}

/// Returns the repository's files with an extension: their relative paths and their text.
///
/// # Panics
///
/// If a file is not text.
#[must_use]
pub fn with_extension(extension: &str) -> Vec<(String, String)> {
    let wanted = files()
        .into_iter()
        .filter(|path| path.extension().is_some_and(|found| found == extension));
    let read = |path: PathBuf| {
        let text = std::fs::read_to_string(&path)
            .unwrap_or_else(|error| panic!("`{}`: {error}", path.display()));
        (relative(&path), text)
    };
    wanted.map(read).collect()
}
