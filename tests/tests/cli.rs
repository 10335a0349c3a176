//! Command line interface: does the program `glovebox` do what users and scripts expect of it?

use glovebox_tests::tree::{program, root};
use serde_json::Value;
use std::io::Write as _;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

const SECRET: &str = "CANARY_in_the_environment_of_the_program";

fn glovebox(arguments: &[&str], input: &str) -> Output {
    let mut command = Command::new(program());
    command
        .args(arguments)
        .env("HOST_SECRET", SECRET)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().expect("the program starts");
    // A program that does not read its input may exit before all of it is written.
    let _ = child
        .stdin
        .take()
        .expect("it has an input")
        .write_all(input.as_bytes());
    child.wait_with_output().expect("it ends")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Runs a text from standard input; returns standard output, standard error and the exit code.
fn python(arguments: &[&str], source: &str) -> (String, String, i32) {
    let all: Vec<&str> = ["run", "--language", "python"]
        .iter()
        .chain(arguments)
        .copied()
        .chain(["-"])
        .collect();
    let output = glovebox(&all, source);
    (
        text(&output.stdout),
        text(&output.stderr),
        output.status.code().unwrap_or(-1),
    )
}

fn json(arguments: &[&str], source: &str) -> (Value, i32) {
    let all: Vec<&str> = ["--json"].iter().chain(arguments).copied().collect();
    let (out, err, code) = python(&all, source);
    (
        serde_json::from_str(&out).unwrap_or_else(|error| panic!("{error}\n{out}\n{err}")),
        code,
    )
}

#[test]
fn the_examples_run() {
    for name in ["hello.py", "hello.js"] {
        let path = root().join("examples").join(name);
        let output = glovebox(&["run", &path.display().to_string()], "");
        assert!(
            output.status.success() && !output.stdout.is_empty(),
            "{name}: {}",
            text(&output.stderr)
        );
        assert_eq!(text(&output.stderr), "", "{name}");
    }
}

#[test]
fn a_program_from_a_pipe() {
    let (out, err, code) = python(
        &[],
        "import json,sys\nprint(json.dumps({\"v\":sys.version_info[:2]}))",
    );
    assert_eq!(
        (out.as_str(), err.as_str(), code),
        ("{\"v\": [3, 14]}\n", "", 0)
    );
}

#[test]
fn exit_codes_are_those_of_the_program_or_say_why_there_is_none() {
    for (source, code) in [
        ("pass", 0),
        ("import sys; sys.exit(3)", 3),
        ("1 / 0", 1),
        ("raise SystemExit('x')", 1),
    ] {
        assert_eq!(python(&[], source).2, code, "{source}");
    }
    let (_, err, code) = python(&["--wall", "300ms"], "import time; time.sleep(60)");
    assert!(code == 124 && err.contains("wall"), "{code}: {err}");
    let (_, err, code) = python(&["--memory", "100MiB"], "x = bytearray(2**30)");
    assert!(code == 124 && err.contains("memory"), "{code}: {err}");
    let (out, err, code) = python(&["--profile", "deny-all"], "print('ran')");
    assert!(
        code == 126 && err.contains("profiles.deny-all.languages") && out.is_empty(),
        "{code}: {err}"
    );
    assert_eq!(glovebox(&["run", "--nonsense"], "").status.code(), Some(2));
    let missing = glovebox(&["run", "nothing-of-the-kind.py"], "");
    assert!(
        missing.status.code() == Some(125) || missing.status.code() == Some(2),
        "{:?}",
        missing.status
    );
    assert!(text(&missing.stderr).contains("nothing-of-the-kind.py"));
}

#[test]
fn json_has_every_field() {
    let (outcome, code) = json(
        &[],
        "import sys\nprint('out')\nprint('err', file=sys.stderr)\n[1, 2]",
    );
    assert_eq!(code, 0);
    for field in [
        "id",
        "status",
        "exit_code",
        "stdout",
        "stderr",
        "stdout_truncated",
        "value",
        "exception",
        "limit",
        "denial",
        "artifacts",
        "tier",
        "tier_reason",
        "usage",
        "policy",
    ] {
        assert!(
            outcome.get(field).is_some(),
            "`{field}` is missing: {outcome}"
        );
    }
    assert_eq!(
        (
            outcome["status"].as_str(),
            outcome["exit_code"].as_i64(),
            outcome["tier"].as_str()
        ),
        (Some("succeeded"), Some(0), Some("wasm"))
    );
    assert_eq!(
        (outcome["stdout"].as_str(), outcome["stderr"].as_str()),
        (Some("out\n"), Some("err\n"))
    );
    for field in [
        "wall_ms",
        "cpu_ms",
        "fuel",
        "peak_memory_bytes",
        "output_bytes",
    ] {
        assert!(
            outcome["usage"][field].is_number(),
            "`usage.{field}` is missing: {outcome}"
        );
    }
    for field in ["profile", "digest", "rules"] {
        assert!(
            outcome["policy"].get(field).is_some(),
            "`policy.{field}` is missing: {outcome}"
        );
    }
    let (outcome, code) = json(&[], "1 / 0");
    assert_eq!(
        (
            code,
            outcome["status"].as_str(),
            outcome["exception"]["type"].as_str()
        ),
        (1, Some("failed"), Some("ZeroDivisionError"))
    );
    assert!(
        outcome["exception"]["traceback"]
            .as_str()
            .is_some_and(|trace| trace.contains("line 1"))
    );
    let (outcome, code) = json(&["--profile", "deny-all"], "1");
    assert_eq!((code, outcome["status"].as_str()), (126, Some("denied")));
    for field in ["rule", "asked", "fix"] {
        assert!(
            outcome["denial"][field]
                .as_str()
                .is_some_and(|text| !text.is_empty()),
            "`denial.{field}`: {outcome}"
        );
    }
}

/// The definition of done of the project: each ends within its limit with the right status, and the next one runs.
#[test]
fn hostile_programs_end_with_the_right_status() {
    let wall = ["--wall", "2s", "--fuel", "1000000000"];
    for (what, source, status, limits) in [
        (
            "a loop",
            "while True: pass",
            "limited",
            &["cpu", "wall"][..],
        ),
        (
            "a memory bomb",
            "x = []\nwhile True: x.append(bytearray(1 << 20))",
            "limited",
            &["memory", "cpu"],
        ),
        (
            "an output flood",
            "while True: print('A' * 65536)",
            "limited",
            &["output"],
        ),
        (
            "a sleep",
            "import time\ntime.sleep(3600)",
            "limited",
            &["wall"],
        ),
        ("an open", "open('/etc/passwd')", "failed", &[]),
        (
            "a socket",
            "import socket\nsocket.create_connection(('127.0.0.1', 22))",
            "failed",
            &[],
        ),
    ] {
        let started = Instant::now();
        let (outcome, _) = json(&wall, source);
        assert!(started.elapsed() < Duration::from_secs(5), "{what}");
        assert_eq!(
            outcome["status"].as_str(),
            Some(status),
            "{what}: {outcome}"
        );
        assert!(
            limits.is_empty()
                || outcome["limit"]
                    .as_str()
                    .is_some_and(|limit| limits.contains(&limit)),
            "{what}: {outcome}"
        );
    }
    let (outcome, _) = json(
        &wall,
        "import sys\nsys.setrecursionlimit(10**9)\ndef f(): f()\nf()",
    );
    assert!(
        ["failed", "limited"].contains(&outcome["status"].as_str().unwrap_or_default()),
        "{outcome}"
    );
    assert_eq!(
        json(&wall, "print(6 * 7)").0["stdout"].as_str(),
        Some("42\n")
    );
}

#[test]
fn nothing_of_the_programs_environment_reaches_a_guest() {
    for source in [
        "import os\nprint(dict(os.environ))",
        "import os\nfor f, d, n in os.walk('/'):\n    if not f.startswith('/usr/lib'): print(f, n)",
        "import sys\nprint(sys.argv, sys.path, sys.orig_argv)",
    ] {
        let (outcome, _) = json(&[], source);
        let shown = outcome.to_string();
        assert!(
            !shown.contains(SECRET)
                && !shown.contains(env!("CARGO_MANIFEST_DIR"))
                && !shown.contains(&program().display().to_string()),
            "{shown}"
        );
    }
    let (out, _, _) = python(&["--env", "MINE=1"], "import os\nprint(os.environ['MINE'])");
    assert_eq!(out, "1\n");
}

#[test]
fn files_go_in_and_artifacts_come_out() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let path = |name: &str| folder.path().join(name).display().to_string();
    std::fs::write(path("in.csv"), "a,b\n").expect("a file can be written");
    std::fs::write(path("program.py"), "import os, sys\nprint(open('data/in.csv').read().strip(), sys.argv[1:], sys.stdin.read())\nos.makedirs('out/sub')\nopen('out/sub/r.txt', 'w').write('result')\nopen('other', 'w').write('x')\nos.symlink('/etc/passwd', 'out/link') if False else None").expect("a file can be written");
    let file = format!("{}=data/in.csv", path("in.csv"));
    let artifact = format!("out/**={}", path("kept"));
    let output = glovebox(
        &[
            "run",
            &path("program.py"),
            "--file",
            &file,
            "--artifact",
            &artifact,
            "--",
            "x",
            "--y",
        ],
        "from stdin",
    );
    assert_eq!(
        (text(&output.stdout).as_str(), output.status.code()),
        ("a,b ['x', '--y'] from stdin\n", Some(0)),
        "{}",
        text(&output.stderr)
    );
    let kept = [path("kept/out/sub/r.txt"), path("kept/sub/r.txt")]
        .into_iter()
        .find_map(|path| std::fs::read_to_string(path).ok());
    assert_eq!(kept.as_deref(), Some("result"));
    // Symlinks in the target folder must not lead outside.
    let outside = path("outside.txt");
    std::fs::write(&outside, "untouched").expect("a file can be written");
    std::fs::create_dir_all(path("trap/out/sub")).expect("a folder can be made");
    for link in ["trap/out/sub/r.txt", "trap/sub"] {
        let _ = std::os::unix::fs::symlink(&outside, path(link));
    }
    let artifact = format!("out/**={}", path("trap"));
    let _ = glovebox(
        &[
            "run",
            &path("program.py"),
            "--file",
            &file,
            "--artifact",
            &artifact,
        ],
        "",
    );
    assert_eq!(
        std::fs::read_to_string(&outside).expect("the file is there"),
        "untouched"
    );
    let output = glovebox(
        &[
            "run",
            &path("program.py"),
            "--file",
            &format!("{}=../x", path("in.csv")),
        ],
        "",
    );
    assert!(!output.status.success() && !output.stderr.is_empty());
    let output = glovebox(
        &[
            "run",
            &path("program.py"),
            "--file",
            &format!("{}=x", path("none")),
        ],
        "",
    );
    assert!(output.status.code() != Some(0) && text(&output.stderr).contains("none"));
}

#[test]
fn bytes_pass_through_a_pipe_as_they_are() {
    let all = ["run", "--language", "python", "-"];
    let output = glovebox(
        &all,
        "import sys\nsys.stdout.buffer.write(bytes([0, 27, 91, 255, 10]))",
    );
    assert_eq!(output.stdout, [0, 27, 91, 255, 10]);
    let (outcome, _) = json(
        &[],
        "import sys\nsys.stdout.buffer.write(bytes([0, 27, 91, 255, 10]))",
    );
    assert!(
        outcome["stdout"].as_str().is_some()
            && outcome["stdout_base64"].as_str() == Some("ABtb/wo="),
        "{outcome}"
    );
}

#[test]
fn a_guest_cannot_write_on_the_lines_that_glovebox_writes() {
    let evil = "x\u{1b}]0;title\u{7}\u{1b}[31m";
    let (_, err, _) = python(
        &["--wall", "300ms"],
        &format!("import sys\nsys.argv\nraise type({evil:?}, (Exception,), {{}})('m')"),
    );
    assert!(!err.is_empty());
    let output = glovebox(&["run", "--language", &format!("py{evil}"), "-"], "1");
    assert_ne!(output.status.code(), Some(0));
    assert!(
        !output.stderr.contains(&0x1b) && !output.stderr.contains(&7),
        "{}",
        text(&output.stderr).escape_debug()
    );
}

#[test]
fn languages_are_known_by_their_extensions() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    for (name, source) in [
        ("a.js", "console.log(6 * 7)"),
        ("a.ts", "const x: number = 42; console.log(x)"),
        ("a.py", "print(42)"),
        ("a.mjs", "export const x = 42; console.log(x)"),
    ] {
        let path = folder.path().join(name);
        std::fs::write(&path, source).expect("a file can be written");
        let output = glovebox(&["run", &path.display().to_string()], "");
        assert_eq!(
            text(&output.stdout),
            "42\n",
            "{name}: {}",
            text(&output.stderr)
        );
    }
    let text = "(module (import \"wasi_snapshot_preview1\" \"proc_exit\" (func $exit (param i32))) (memory (export \"memory\") 1) (func (export \"_start\") (call $exit (i32.const 9))))";
    let path = folder.path().join("a.wasm");
    std::fs::write(&path, wat::parse_str(text).expect("it is a module"))
        .expect("a file can be written");
    assert_eq!(
        glovebox(&["run", &path.display().to_string()], "")
            .status
            .code(),
        Some(9)
    );
}

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

/// Stopping the program stops its run, and the program reports so.
#[test]
fn a_signal_cancels_the_run() {
    let mut child = Command::new(program())
        .args(["run", "--language", "python", "--json", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    child
        .stdin
        .take()
        .expect("it has an input")
        .write_all(b"import time\nprint('started', flush=True)\ntime.sleep(20)")
        .expect("it reads");
    std::thread::sleep(Duration::from_millis(1500));
    let killed = Command::new("kill")
        .args(["-TERM", &child.id().to_string()])
        .status()
        .expect("`kill` runs");
    assert!(killed.success());
    let started = Instant::now();
    let output = child.wait_with_output().expect("it ends");
    assert!(started.elapsed() < Duration::from_secs(3));
    assert_eq!(output.status.code(), Some(130), "{}", text(&output.stderr));
    let outcome: Value = serde_json::from_slice(&output.stdout).expect("the outcome is JSON");
    assert_eq!(outcome["status"].as_str(), Some("cancelled"));
}

/// Machine code that another user could have written is not loaded; a damaged file is recompiled. (XS07)
#[test]
fn precompiled_code_is_loaded_only_from_where_nobody_else_writes() {
    use std::os::unix::fs::PermissionsExt as _;
    let cache = tempfile::tempdir().expect("a folder can be made");
    let installed = glovebox_guests::installed()
        .expect("the cache is ours")
        .expect("the guests are installed");
    let bundle = cache
        .path()
        .join("guests")
        .join(glovebox_guests::source_key());
    std::fs::create_dir_all(&bundle).expect("the folder is writable");
    for entry in std::fs::read_dir(installed.directory()).expect("the bundle can be listed") {
        let entry = entry.expect("an entry can be read");
        std::fs::copy(entry.path(), bundle.join(entry.file_name()))
            .expect("the bundle can be copied");
    }
    let run = || {
        let mut command = Command::new(program());
        command
            .args(["run", "--language", "javascript", "-"])
            .env("GLOVEBOX_CACHE", cache.path());
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
    };
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
