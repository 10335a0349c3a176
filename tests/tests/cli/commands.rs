//! The other commands: do policies, audit logs, guests and the machine get looked at?

use super::*;
use std::path::Path;

#[test]
fn policies_are_checked_explained_and_tested() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let path = |name: &str, content: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, content).expect("a file can be written");
        path.display().to_string()
    };
    let good = path(
        "good.toml",
        "version = 1\ndefault_profile = \"p\"\n[profiles.p]\nextends = \"offline\"\nlimits = { wall = \"1s\" }\n",
    );
    let bad = path(
        "bad.toml",
        "version = 1\n[profiles.p]\nlangauges = []\n[profiles.p.limits]\nwall = 5\n",
    );
    assert!(glovebox(&["policy", "check", &good], "").status.success());
    let output = glovebox(&["policy", "check", &bad], "");
    let said = text(&output.stderr) + &text(&output.stdout);
    assert!(
        output.status.code() == Some(1)
            && said.contains("3:1")
            && said.contains("languages")
            && said.contains("wall"),
        "{said}"
    );
    let schema: Value = serde_json::from_slice(&glovebox(&["policy", "schema"], "").stdout)
        .expect("the schema is JSON");
    assert!(schema.get("properties").is_some());
    let program = path("p.py", "print(1)");
    let output = glovebox(&["policy", "explain", "--policy", &good, &program], "");
    assert!(
        output.status.success() && text(&output.stdout).contains("wasm"),
        "{}",
        text(&output.stdout)
    );
    let output = glovebox(
        &["policy", "explain", "--profile", "deny-all", &program],
        "",
    );
    assert_eq!(output.status.code(), Some(126), "{}", text(&output.stdout));
    let table = path(
        "cases.toml",
        "[[case]]\nname = \"python runs\"\nlanguage = \"python\"\nexpect = \"admit\"\n",
    );
    assert!(glovebox(&["policy", "test", &table], "").status.success());
    let table = path(
        "wrong.toml",
        "[[case]]\nname = \"ruby runs\"\nlanguage = \"ruby\"\nexpect = \"admit\"\n",
    );
    assert_eq!(
        glovebox(&["policy", "test", &table], "").status.code(),
        Some(1)
    );
    assert_ne!(
        glovebox(&["run", "--policy", &bad, &program], "")
            .status
            .code(),
        Some(0),
        "nothing runs under a policy that is wrong"
    );
}

#[test]
fn an_audit_log_is_written_and_verified() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let path = folder.path().join("audit.jsonl").display().to_string();
    python(&["--audit", &path], "print(1)");
    python(&["--audit", &path, "--profile", "deny-all"], "print(1)");
    let log = std::fs::read_to_string(&path).expect("the log is there");
    assert_eq!(log.lines().count(), 3);
    assert!(glovebox(&["audit", "verify", &path], "").status.success());
    std::fs::write(&path, log.replacen("local", "other", 1)).expect("the log can be written");
    assert!(!glovebox(&["audit", "verify", &path], "").status.success());
    let (out, _, code) = python(&["--audit", &path], "print('ran')");
    assert!(
        code == 125 && out.is_empty(),
        "nothing runs beside a log that was changed: {code}"
    );
    let (out, _, code) = python(
        &["--audit", "/nothing/of/the/kind/audit.jsonl"],
        "print('ran')",
    );
    assert!(
        code == 125 && out.is_empty(),
        "nothing runs without its log: {code}"
    );
}

#[test]
fn the_machine_and_the_guests_are_described() {
    let output = glovebox(&["doctor"], "");
    assert!(
        output.status.success() && text(&output.stdout).contains("wasm"),
        "{}{}",
        text(&output.stdout),
        text(&output.stderr)
    );
    assert!(!output.stdout.contains(&0x1b), "no colour in a pipe");
    let output = glovebox(&["guests", "list"], "");
    assert!(text(&output.stdout).contains("python") && text(&output.stdout).contains("javascript"));
    assert!(glovebox(&["guests", "verify"], "").status.success());
    assert!(text(&glovebox(&["completions", "bash"], "").stdout).contains("glovebox"));
    assert!(text(&glovebox(&["--version"], "").stdout).contains(env!("CARGO_PKG_VERSION")));
    for command in [
        &["--help"][..],
        &["run", "--help"],
        &["policy", "--help"],
        &["guests", "--help"],
        &["doctor", "--help"],
    ] {
        let output = glovebox(command, "");
        assert!(
            output.status.success() && text(&output.stdout).len() > 200,
            "{command:?}"
        );
    }
}

/// Copies the installed guests into another cache.
fn copy_guests(cache: &Path) {
    let installed = glovebox_guests::installed()
        .expect("the cache is ours")
        .expect("the guests are installed");
    let bundle = cache.join("guests").join(glovebox_guests::source_key());
    std::fs::create_dir_all(&bundle).expect("the folder is writable");
    for entry in std::fs::read_dir(installed.directory()).expect("the bundle can be listed") {
        let entry = entry.expect("an entry can be read");
        std::fs::copy(entry.path(), bundle.join(entry.file_name()))
            .expect("the bundle can be copied");
    }
}

/// Runs a program with the guests of a cache; returns standard output, standard error and the exit
/// code.
fn javascript(cache: &Path) -> (String, String, i32) {
    let mut command = Command::new(program());
    command
        .args(["run", "--language", "javascript", "-"])
        .env("GLOVEBOX_CACHE", cache);
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    child
        .stdin
        .take()
        .expect("it has an input")
        .write_all(b"console.log(6 * 7)")
        .expect("it reads");
    let output = child.wait_with_output().expect("it ends");
    (
        text(&output.stdout),
        text(&output.stderr),
        output.status.code().unwrap_or(-1),
    )
}

/// Machine code that another user could have written is not loaded; a damaged file is recompiled.
/// (XS07)
#[test]
fn precompiled_code_is_loaded_only_from_where_no_others_write() {
    use std::os::unix::fs::PermissionsExt as _;
    let cache = tempfile::tempdir().expect("a folder can be made");
    copy_guests(cache.path());
    let run = || javascript(cache.path());
    assert_eq!(run().0, "42\n");
    let compiled = cache.path().join("compiled");
    let files = std::fs::read_dir(&compiled)
        .expect("machine code was stored")
        .map(|entry| entry.expect("it can be read").path());
    let code: Vec<_> = files.collect();
    let each = |change: &dyn Fn(&std::path::Path) -> std::io::Result<()>| {
        code.iter()
            .for_each(|file| change(file).expect("the file is ours"));
    };
    let mode =
        |mode| each(&|file| std::fs::set_permissions(file, std::fs::Permissions::from_mode(mode)));
    each(&|file| {
        assert_eq!(
            file.metadata()?.permissions().mode() & 0o777,
            0o600,
            "{}",
            file.display()
        );
        Ok(())
    });
    mode(0o606);
    let (out, err, status) = run();
    assert!(
        status == 125
            && out.is_empty()
            && err.contains("no machine code is loaded")
            && err.contains("chmod go-w"),
        "{status}: {err}"
    );
    mode(0o600);
    assert_eq!(run().0, "42\n", "the twin: the same files, ours alone");
    for damaged in [0, 100, 100_000] {
        each(&|file| {
            std::fs::OpenOptions::new()
                .write(true)
                .open(file)?
                .set_len(damaged)
        });
        assert_eq!(run().0, "42\n", "cut to {damaged} bytes");
    }
}
