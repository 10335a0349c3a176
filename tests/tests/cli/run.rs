//! `glovebox run`: do programs run, and are their results what scripts expect?

use super::*;
use glovebox_tests::place::eventually;

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
        "results",
        "results_truncated",
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
}

#[test]
fn json_says_why_a_program_failed_or_was_denied() {
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

/// The definition of done of the project: each ends within its limit with the right status, and the
/// next one runs.
#[test]
fn hostile_programs_end_with_the_right_status() {
    let wall = ["--wall", "2s", "--fuel", "1000000000"];
    for (what, source, status, limits) in [
        (
            "a loop",
            "while True: pass",
            "limited",
            &["fuel", "wall"][..],
        ),
        (
            "a memory bomb",
            "x = []\nwhile True: x.append(bytearray(1 << 20))",
            "limited",
            &["memory", "fuel"],
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
fn limited_outcome_has_the_amount_and_its_source() {
    for (arguments, hit) in [
        (&["--wall", "300ms"][..], ["wall", "300ms", "request"]),
        (&["--fuel", "50000000"], ["fuel", "50000000", "request"]),
        (
            &["--profile", "offline"],
            ["fuel", "20000000000", "profile"],
        ),
    ] {
        let source = match hit {
            ["wall", ..] => "import time; time.sleep(60)",
            _ => "while True: pass",
        };
        let (outcome, _) = json(arguments, source);
        let got = ["limit", "limit_granted", "limit_source"].map(|field| &outcome[field]);
        assert_eq!(got, hit, "{outcome}");
    }
    let (outcome, _) = json(&[], "print('fine')");
    assert!(
        outcome["limit"].is_null() && outcome.get("limit_source").is_none(),
        "{outcome}"
    );
}

#[test]
fn environment_of_the_program_stays_out_of_guests() {
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

/// Stopping the program stops its run, and the program reports so.
#[test]
fn a_signal_cancels_the_run() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let log = folder.path().join("audit.jsonl");
    let mut child = Command::new(program())
        .args(["run", "--language", "python", "--json", "--audit"])
        .arg(&log)
        .arg("-")
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
    eventually(Duration::from_secs(20), "it is admitted", || {
        std::fs::read_to_string(&log).is_ok_and(|log| log.contains("admitted"))
    });
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
