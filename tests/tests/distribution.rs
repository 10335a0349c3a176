//! Packages for pip and npm: do both install a command that runs programs?
//!
//! By `scripts/packages`, which builds them from any binary and installs them in an empty home,
//! with the real pip and npm.

use glovebox_tests::place::guests;
use glovebox_tests::tree::{program, root};
use std::path::Path;
use std::process::Command;

/// Runs a script of the tree, and returns whether it succeeded, with its output.
fn script(name: &str, arguments: &[&Path]) -> (bool, String) {
    let output = Command::new(root().join("scripts/packages").join(name))
        .args(arguments)
        .output()
        .expect("the script starts");
    let text = [output.stdout, output.stderr].concat();
    (
        output.status.success(),
        String::from_utf8_lossy(&text).into_owned(),
    )
}

#[test]
fn packages_for_pip_and_npm_run_programs() {
    let _installed = guests();
    let folder = tempfile::tempdir().expect("a folder can be made");
    let packed = folder.path().join("dist");
    let binary = program();
    let (is_built, output) = script("build", &[Path::new(&binary), &packed]);
    if !is_built && std::env::var_os("CI").is_none() {
        eprintln!("SKIPPED: the packages cannot be built here: {output}");
        return;
    }
    assert!(is_built, "{output}");
    std::fs::copy(&binary, packed.join("glovebox")).expect("the folder is writable");
    // This binary carries no guests.
    let cache = glovebox_guests::default_cache_dir().expect("there is a cache");
    let (runs, output) = script("test", &[&packed, &cache]);
    assert!(runs, "{output}");
}
