//! Class K, host call boundary: does it hold against malformed arguments?

use async_trait::async_trait;
use glovebox::{Request, Sandbox, Status, Tool};
use glovebox_tests::attack::{alone, show};
use glovebox_tests::place::{canary, guests, policy, run, sandbox};
use glovebox_tests::vitals::Vitals;
use std::fmt::Write as _;
use std::sync::Arc;
use std::time::{Duration, Instant};

include!(concat!(env!("OUT_DIR"), "/attacks_k_boundary.rs"));

/// Every function of preview 1 with its parameters: `i` is 32 bits, `l` is 64.
const PREVIEW_1: [(&str, &str); 45] = [
    ("args_get", "ii"),
    ("args_sizes_get", "ii"),
    ("environ_get", "ii"),
    ("environ_sizes_get", "ii"),
    ("clock_res_get", "ii"),
    ("clock_time_get", "ili"),
    ("fd_advise", "illi"),
    ("fd_allocate", "ill"),
    ("fd_close", "i"),
    ("fd_datasync", "i"),
    ("fd_fdstat_get", "ii"),
    ("fd_fdstat_set_flags", "ii"),
    ("fd_fdstat_set_rights", "ill"),
    ("fd_filestat_get", "ii"),
    ("fd_filestat_set_size", "il"),
    ("fd_filestat_set_times", "illi"),
    ("fd_pread", "iiili"),
    ("fd_prestat_get", "ii"),
    ("fd_prestat_dir_name", "iii"),
    ("fd_pwrite", "iiili"),
    ("fd_read", "iiii"),
    ("fd_readdir", "iiili"),
    ("fd_renumber", "ii"),
    ("fd_seek", "ilii"),
    ("fd_sync", "i"),
    ("fd_tell", "ii"),
    ("fd_write", "iiii"),
    ("path_create_directory", "iii"),
    ("path_filestat_get", "iiiii"),
    ("path_filestat_set_times", "iiiilli"),
    ("path_link", "iiiiiii"),
    ("path_open", "iiiiillii"),
    ("path_readlink", "iiiiii"),
    ("path_remove_directory", "iii"),
    ("path_rename", "iiiiii"),
    ("path_symlink", "iiiii"),
    ("path_unlink_file", "iii"),
    ("poll_oneoff", "iiii"),
    ("proc_raise", "i"),
    ("random_get", "ii"),
    ("sched_yield", ""),
    ("sock_accept", "iii"),
    ("sock_recv", "iiiiii"),
    ("sock_send", "iiiii"),
    ("sock_shutdown", "ii"),
];

/// Builds a module that calls one function with each list of arguments; a list that traps ends the
/// module, so each has its own program.
fn program(name: &str, parameters: &str, arguments: &[i64]) -> Vec<u8> {
    let types: String = parameters
        .chars()
        .map(|kind| if kind == 'l' { " i64" } else { " i32" })
        .collect();
    let mut call = String::new();
    for (kind, argument) in parameters.chars().zip(arguments.iter().cycle()) {
        let _ = if kind == 'l' {
            write!(call, "(i64.const {argument})")
        } else {
            write!(call, "(i32.const {})", *argument as i32)
        };
    }
    let text = format!(
        "(module (import \"wasi_snapshot_preview1\" \"{name}\" (func $f (param{types}) (result i32)))
          (memory (export \"memory\") 2) (data (i32.const 0) \"\\ff\\ff\\ff\\7f../../etc/passwd\\00\")
          (func (export \"_start\") (drop (call $f {call})) (drop (call $f {call}))))"
    );
    wat::parse_str(&text).unwrap_or_else(|error| panic!("{name}: {error}"))
}

#[test]
fn ha01_every_import_with_garbage() {
    let _alone = alone();
    let sandbox = sandbox("wall = \"1s\"\nfuel = 300_000_000", "");
    let end = 2 * 65536;
    // Pointers and lengths: zero, all ones, the last byte, overlapping, huge; then valid
    // descriptors with the rest invalid.
    let garbage: [&[i64]; 6] = [
        &[0],
        &[-1],
        &[3, end - 1, 2],
        &[3, i32::MIN as i64, i32::MAX as i64],
        &[1, 8, 0x2000_0000, 8, i64::MAX],
        &[3, 4, 16, 4, 0, i64::MIN, 1],
    ];
    let _ = run(&sandbox, canary("python"));
    // The compiler's threads stay once it has compiled anything.
    let _ = run(
        &sandbox,
        Request::new("wasm", program("sched_yield", "", &[0])),
    );
    let before = Vitals::now();
    for (name, parameters) in PREVIEW_1 {
        for arguments in garbage {
            let started = Instant::now();
            let outcome = run(
                &sandbox,
                Request::new("wasm", program(name, parameters, arguments)),
            );
            let what = || format!("{name} with {arguments:?}: {}", show(&outcome));
            assert!(started.elapsed() < Duration::from_secs(3), "{}", what());
            assert_ne!(outcome.status, Status::Denied, "{}", what());
            assert!(
                !outcome
                    .crash
                    .as_deref()
                    .unwrap_or_default()
                    .contains("no program"),
                "{}",
                what()
            );
            assert!(
                outcome.stdout.bytes.is_empty()
                    || outcome.status != Status::Succeeded
                    || name == "fd_write",
                "{}",
                what()
            );
        }
    }
    assert_eq!(before.left_over(), None);
    assert_eq!(run(&sandbox, canary("python")).stdout.text(), "42\n");
}

/// The twin: the same programs succeed with valid arguments.
#[test]
fn ha01_imports_that_make_sense_work() {
    let _alone = alone();
    let sandbox = sandbox("", "");
    let text = r#"(module
      (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
      (import "wasi_snapshot_preview1" "clock_time_get" (func $clock (param i32 i64 i32) (result i32)))
      (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
      (memory (export "memory") 1) (data (i32.const 100) "hello\n")
      (func (export "_start")
        (i32.store (i32.const 0) (i32.const 100)) (i32.store (i32.const 4) (i32.const 6))
        (if (call $clock (i32.const 0) (i64.const 1) (i32.const 64)) (then unreachable))
        (if (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 32)) (then unreachable))
        (call $exit (i32.const 7))))"#;
    let outcome = run(
        &sandbox,
        Request::new("wasm", wat::parse_str(text).expect("it is a module")),
    );
    assert_eq!(
        (outcome.exit_code, outcome.stdout.text().as_ref()),
        (Some(7), "hello\n"),
        "{}",
        show(&outcome)
    );
}

#[test]
fn ha01_imports_that_do_not_exist() {
    let _alone = alone();
    let sandbox = sandbox("", "");
    for import in [
        "(import \"env\" \"system\" (func (param i32) (result i32)))",
        "(import \"wasi_snapshot_preview1\" \"fd_explode\" (func))",
        "(import \"wasi_unstable\" \"fd_write\" (func (param i32 i32 i32 i32) (result i32)))",
        "(import \"wasi_snapshot_preview1\" \"fd_write\" (func (param i64)))",
        "(import \"env\" \"memory\" (memory 1))",
        "(import \"glovebox:guest/host@0.1.0\" \"start-call\" (func (param i32 i32 i32 i32) (result i32)))",
    ] {
        let text = format!("(module {import} (func (export \"_start\")))");
        let outcome = run(
            &sandbox,
            Request::new("wasm", wat::parse_str(&text).expect("it is a module")),
        );
        assert_eq!(
            outcome.status,
            Status::Crashed,
            "{import}: {}",
            show(&outcome)
        );
    }
}

/// Components pass malformed strings, lists and handles. (HA05)
#[test]
fn ha05_components_with_broken_values() {
    let _alone = alone();
    let sandbox = sandbox("wall = \"1s\"\nfuel = 300_000_000", "");
    let random = "(import \"wasi:random/random@0.2.0\" (instance $i (export \"get-random-bytes\" (func (param \"len\" u64) (result (list u8))))))
        (core module $memory (memory (export \"memory\") 1) (func (export \"realloc\") (param i32 i32 i32 i32) (result i32) (i32.const REALLOC)))
        (core instance $mem (instantiate $memory))
        (core func $f (canon lower (func $i \"get-random-bytes\") (memory (core memory $mem \"memory\")) (realloc (core func $mem \"realloc\"))))
        (core module $m (import \"\" \"f\" (func $f (param i64 i32))) (func (export \"run\") (result i32) (call $f (i64.const LENGTH) (i32.const RESULT)) (i32.const 0)))";
    let poll = "(import \"wasi:io/poll@0.2.0\" (instance $i (export \"pollable\" (type $p (sub resource)))
          (export \"poll\" (func (param \"in\" (list (borrow $p))) (result (list u32))))))
        (core module $memory (memory (export \"memory\") 1) (func (export \"realloc\") (param i32 i32 i32 i32) (result i32) (i32.const REALLOC)))
        (core instance $mem (instantiate $memory))
        (core func $f (canon lower (func $i \"poll\") (memory (core memory $mem \"memory\")) (realloc (core func $mem \"realloc\"))))
        (core module $m (import \"\" \"f\" (func $f (param i32 i32 i32))) (func (export \"run\") (result i32) (call $f (i32.const 0) (i32.const LENGTH) (i32.const RESULT)) (i32.const 0)))";
    let mut broken = 0;
    for body in [random, poll] {
        for length in [
            "0",
            "1",
            "64",
            "65536",
            "1048577",
            "4294967295",
            "9223372036854775807",
        ] {
            for realloc in ["0", "1", "65535", "-1", "2147483647"] {
                for result in ["1024", "-4", "3"] {
                    if body == poll && length.len() > 10 {
                        continue;
                    }
                    let body = body
                        .replace("LENGTH", length)
                        .replace("REALLOC", realloc)
                        .replace("RESULT", result);
                    let text = format!(
                        "(component {body} (core instance $n (instantiate $m (with \"\" (instance (export \"f\" (func $f))))))
                          (func $run (result (result)) (canon lift (core func $n \"run\"))) (instance $out (export \"run\" (func $run)))
                          (export \"wasi:cli/run@0.2.0\" (instance $out)))"
                    );
                    let outcome = run(
                        &sandbox,
                        Request::new(
                            "wasm",
                            wat::parse_str(&text).unwrap_or_else(|error| panic!("{error}\n{text}")),
                        ),
                    );
                    assert!(
                        !outcome
                            .crash
                            .as_deref()
                            .unwrap_or_default()
                            .contains("no program"),
                        "{}",
                        show(&outcome)
                    );
                    broken += usize::from(outcome.status == Status::Crashed);
                }
            }
        }
    }
    assert!(broken > 50, "garbage is refused");
    assert_eq!(run(&sandbox, canary("python")).stdout.text(), "42\n");
}

struct Echo;

#[async_trait]
impl Tool for Echo {
    async fn call(&self, arguments: String) -> Result<String, String> {
        Ok(arguments)
    }
}

struct Says(String);

#[async_trait]
impl Tool for Says {
    async fn call(&self, _: String) -> Result<String, String> {
        Ok(self.0.clone())
    }
}

/// A tool's input and output pass unchanged, or not at all. (HA02)
#[test]
fn ha02_tool_values() {
    let _alone = alone();
    let more = "\n[profiles.attack.tools]\nallow = [\"t/*\"]\n";
    let builder = Sandbox::builder()
        .policy(policy(
            "memory = \"512MiB\"\nfuel = 20_000_000_000\nwall = \"10s\"",
            more,
        ))
        .guests(guests());
    let builder = builder
        .tool("t/echo", Arc::new(Echo))
        .tool("t/rubbish", Arc::new(Says("{not json".to_owned())));
    let builder = builder.tool(
        "t/large",
        Arc::new(Says(format!("\"{}\"", "x".repeat(17 << 20)))),
    );
    let sandbox = builder
        .tool(
            "t/deep",
            Arc::new(Says("[".repeat(100_000) + &"]".repeat(100_000))),
        )
        .build()
        .expect("a sandbox can be made");
    let python = r#"
import glovebox
for thing in [1, -0.5, 2**53 + 1, "text \u2028 \U0001F600 \0", None, True, [1, [2]], {"__proto__": {"x": 1}, "": 0}]:
    back = glovebox.call_tool("t/echo", thing=thing)
    assert back == {"thing": thing}, (thing, back)
def attempt(what, action):
    try:
        action()
        print("got", what)
    except RecursionError:
        print("denied", what)
    except Exception as error:
        print("denied", what)
attempt("rubbish", lambda: glovebox.call_tool("t/rubbish"))
attempt("large", lambda: glovebox.call_tool("t/large"))
attempt("too much", lambda: glovebox.call_tool("t/echo", thing="x" * (17 << 20)))
attempt("deep", lambda: glovebox.call_tool("t/deep"))
"#;
    let outcome = run(&sandbox, Request::new("python", python));
    let said = outcome.stdout.text();
    assert!(
        said.starts_with("denied rubbish\ndenied large\ndenied too much\n"),
        "{}",
        show(&outcome)
    );
    let javascript = r#"
for (const thing of [1, -0.5, "text \u2028 \u{1F600} \0", null, true, [1, [2]], { "": 0 }, JSON.parse('{"__proto__": 1}')]) {
  const back = await callTool("t/echo", { thing });
  if (JSON.stringify(back) !== JSON.stringify({ thing })) throw new Error(JSON.stringify([thing, back]));
}
if ({}.x !== undefined) throw new Error("polluted");
for (const name of ["t/rubbish", "t/large", "t/deep"]) {
  try { await callTool(name, {}); console.log("got", name); } catch { console.log("denied", name); }
}
console.log("ok");
"#;
    let outcome = run(&sandbox, Request::new("javascript", javascript));
    assert_eq!(outcome.status, Status::Succeeded, "{}", show(&outcome));
    assert!(
        outcome
            .stdout
            .text()
            .starts_with("denied t/rubbish\ndenied t/large\n"),
        "{}",
        show(&outcome)
    );
    assert_eq!(run(&sandbox, canary("python")).stdout.text(), "42\n");
}

/// Glob patterns of artifacts are untrusted and match names that the guest chose. (HA06)
#[test]
fn ha06_patterns_take_linear_time() {
    let _alone = alone();
    let sandbox = sandbox("", "");
    let name = "a".repeat(200);
    for pattern in [
        "*a".repeat(60),
        "{a,b}*".repeat(60),
        "**/".repeat(100) + "*",
        "[a-z]*".repeat(80) + "b",
        "{{{{{{a,b},c},d},e},f},g}".to_owned(),
    ] {
        let mut request = Request::new(
            "python",
            format!("open('{name}', 'w').close()\nprint('ok')"),
        );
        request.artifacts = vec![pattern.clone()];
        let started = Instant::now();
        let outcome = glovebox_tests::place::runtime().block_on(sandbox.run(request));
        assert!(started.elapsed() < Duration::from_secs(4), "{pattern}");
        // A pattern may be refused, if that is quick and has a reason.
        if let Ok(outcome) = outcome {
            assert!(
                matches!(outcome.status, Status::Succeeded | Status::Denied),
                "{pattern}: {}",
                show(&outcome)
            );
        }
    }
}
