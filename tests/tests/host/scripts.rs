//! The project's scripts: do they run anything of the directory in which they are called?
//!
//! Each is called in the checkout with traps: as anywhere, and with a `PATH` and a `PYTHONPATH`
//! that also name folders of the current directory. The oracle is that no trap left a mark; the
//! twin is that careless calls of the same tools run them.

use super::checkout::*;
use super::*;
use glovebox_tests::tree::root;

/// Programs that the scripts call, beside [`PROGRAMS`]. `bash` and `dirname` are missing: a script
/// is found by them before it can choose a directory.
const TOOLS: [&str; 13] = [
    "apt-get", "sudo", "cc", "curl", "readelf", "realpath", "mkdir", "mktemp", "sort", "cut",
    "head", "tr", "id",
];

/// The start of a `PATH`: folders of the current directory, which has programs in them, and `/`
/// has none.
const RELATIVE: &str = ".::src/../bin:node_modules/.bin:";

/// Creates a checkout that has traps for the scripts, too.
fn checkout() -> Checkout {
    let checkout = Checkout::without_guests("cache");
    for tool in TOOLS {
        checkout.executable(tool);
        checkout.executable(&format!("bin/{tool}"));
    }
    // A test installs no packages of the system.
    let guard = checkout.place.path().join("guard");
    fs::create_dir(&guard).expect("the folder is writable");
    for installer in ["apt-get", "sudo"] {
        let file = guard.join(installer);
        fs::write(&file, "#!/bin/sh\nexit 1\n").expect("the folder is writable");
        fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).expect("it is ours");
    }
    checkout
}

/// Calls a program in the checkout, with a `PATH` that begins with `first`. Temporary files are
/// below the checkout, because tools look for settings in every directory above.
fn call(checkout: &Checkout, first: &str, program: &str, arguments: &[&str]) -> Output {
    let guard = checkout.place.path().join("guard");
    let usual = std::env::var("PATH").expect("there are programs");
    let mut command = Command::new(program);
    command
        .args(arguments)
        .current_dir(checkout.path(""))
        .env("PATH", format!("{first}{}:{usual}", guard.display()))
        .env("TMPDIR", checkout.path("src/deep"))
        // With it, rustup looks for no file.
        .env_remove("RUSTUP_TOOLCHAIN")
        .stdin(Stdio::null());
    if first == RELATIVE {
        command.env("PYTHONPATH", ".:modules");
    }
    command.output().expect("the program starts")
}

/// Returns the path of a script of the tree.
fn script(name: &str) -> String {
    root().join("scripts").join(name).display().to_string()
}

/// Asserts that no trap ran and that a script ended as expected, which in CI it must: elsewhere, a
/// tool may be missing.
fn check(checkout: &Checkout, output: &Output, is_expected: bool) {
    assert_eq!(checkout.marked(), BTreeSet::new(), "{}", said(output));
    if !is_expected && std::env::var_os("CI").is_none() {
        eprintln!("SKIPPED: a tool is missing here: {}", said(output));
        return;
    }
    assert!(is_expected, "{}", said(output));
}

#[test]
fn setup_runs_no_file_of_the_current_directory() {
    let setup = script("setup");
    for first in ["", RELATIVE] {
        let checkout = checkout();
        let output = call(&checkout, first, &setup, &[]);
        check(&checkout, &output, output.status.success());
        // The shell that sources it stays where it is.
        let sourced = ["bash", "-c", "trap 'pwd -P' EXIT; . \"$0\"", setup.as_str()];
        let output = call(&checkout, first, "/usr/bin/env", &sourced);
        check(&checkout, &output, output.status.success());
        let here = fs::canonicalize(checkout.path("")).expect("it is there");
        assert_eq!(
            String::from_utf8_lossy(&output.stdout),
            format!("{}\n", here.display())
        );
    }
}

#[test]
fn scripts_of_packages_run_no_file_of_the_current_directory() {
    let rows: [(&str, &[&str], &str); 3] = [
        (
            "packages/build",
            &["main.py", "built"],
            "/checkout/main.py` is for `no known processor`",
        ),
        ("packages/build", &["missing"], "there is no binary to pack"),
        (
            "packages/test",
            &["missing"],
            "/checkout/missing` must have `glovebox`",
        ),
    ];
    for first in ["", RELATIVE] {
        let checkout = checkout();
        for (name, arguments, says) in rows {
            let output = call(&checkout, first, &script(name), arguments);
            check(&checkout, &output, said(&output).contains(says));
            assert_eq!(output.status.code(), Some(1), "{}", said(&output));
        }
        assert!(checkout.path("built").is_dir());
    }
}

#[test]
fn packages_are_built_without_files_of_the_current_directory_or_above() {
    let checkout = checkout();
    // With it, npm would pack nothing.
    for folder in ["", "src/deep/"] {
        checkout.write(&format!("{folder}.npmrc"), "dry-run=true\n");
    }
    fs::copy(program(), checkout.path("packed")).expect("the folder is writable");
    let output = call(
        &checkout,
        RELATIVE,
        &script("packages/build"),
        &["packed", "built"],
    );
    let built = fs::read_dir(checkout.path("built")).map_or(0, Iterator::count);
    check(&checkout, &output, output.status.success() && built == 3);
}

/// Makes a package in the checkout, whose own script is harmless, and packs it.
const PACK: &str = "mkdir src/own && cd src/own \
    && echo '{\"name\":\"own\",\"version\":\"1.0.0\",\"scripts\":{\"prepare\":\":\"}}' >package.json \
    && npm pack --dry-run --offline";

/// The traps work: the same tools run them if they are called carelessly.
#[test]
fn traps_for_the_scripts_work() {
    let rustup = Command::new("rustup")
        .arg("--version")
        .current_dir("/")
        .output();
    let has_rustup = rustup.is_ok_and(|output| output.status.success());
    let mut rows = vec![
        ("", "/usr/bin/python3 -m pip --version", ".py"),
        (
            "",
            "/usr/bin/python3 -c 'import ensurepip, venv'",
            "ensurepip.py",
        ),
        ("", "/usr/bin/python3 -c 'import venv'", "venv.py"),
        ("", PACK, "bin-python3"),
        (RELATIVE, "npm --version", "npm"),
        (RELATIVE, "python3 --version", "python3"),
        ("src/../bin:", "npm --version", "bin-npm"),
    ];
    if has_rustup {
        rows.push(("", "rustc --version", "toolchain-bin-rustc"));
    }
    for (first, careless, trap) in rows {
        let checkout = checkout();
        let output = call(&checkout, first, "/bin/sh", &["-c", careless]);
        let marked = checkout.marked();
        assert!(
            marked.iter().any(|mark| mark.ends_with(trap)),
            "`{careless}` ran {marked:?}: {}",
            said(&output)
        );
    }
    for careful in [
        "/usr/bin/python3 -I -m pip --version",
        "/usr/bin/python3 -I -c 'import ensurepip, venv'",
    ] {
        let checkout = checkout();
        let output = call(&checkout, "", "/bin/sh", &["-c", careful]);
        assert_eq!(
            checkout.marked(),
            BTreeSet::new(),
            "`{careful}`: {}",
            said(&output)
        );
    }
}
