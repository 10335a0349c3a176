//! Class H, secrets: does a guest see data of another tenant or of the host?

use glovebox::{AuditRecord, AuditSink, Request, Sandbox, Status};
use glovebox_tests::attack::{alone, handed_out, show};
use glovebox_tests::place::{guests, policy, run, runtime, sandbox};
use std::sync::{Arc, Mutex};

include!(concat!(env!("OUT_DIR"), "/attacks_h_secrets.rs"));

/// One run fills its memory with a mark; fifty others search all memory that they can get for it.
/// (SEC04)
fn no_trace_of(language: &str, fill: &str, look: &str) {
    let _alone = alone();
    let sandbox = sandbox(
        "wall = \"10s\"\nfuel = 20_000_000_000\nmemory = \"96MiB\"",
        "",
    );
    for round in 0..5 {
        let filled = run(&sandbox, Request::new(language, fill));
        assert_eq!(filled.stdout.text(), "filled\n", "{}", show(&filled));
        for _ in 0..10 {
            let looked = run(&sandbox, Request::new(language, look));
            assert_eq!(
                looked.stdout.text(),
                "clean\n",
                "round {round}: {}",
                show(&looked)
            );
        }
    }
}

#[test]
fn sec04_python_memory_is_not_passed_on() {
    let fill = "mark = b'MEMORY' + b'MARK' + b'0123456789'\nkept = []\ntry:\n    for _ in range(40):\n        kept.append(mark * (1 << 15))\n        kept.extend(bytes(mark) + bytes([n]) for n in range(100))\nexcept MemoryError:\n    pass\nprint('filled')";
    // Zeroed memory and uninitialised memory of the allocator; `tobytes` of arrays and `bytearray`
    // growth reach both.
    let look = "import array, gc, io\nneedle = b'MEMORY' + b'MARK'\nfound = 0\nfor size in (1 << 12, 1 << 16, 1 << 20, 1 << 24):\n    data = bytearray(size)\n    found += data.count(needle)\n    grown = bytearray()\n    for _ in range(64):\n        grown.extend(bytes(size >> 6))\n    found += grown.count(needle)\nfor thing in gc.get_objects():\n    if isinstance(thing, (bytes, bytearray)):\n        found += needle in thing\nprint('clean' if not found else found)";
    no_trace_of("python", fill, look);
}

#[test]
fn sec04_javascript_memory_is_not_passed_on() {
    let fill = "const mark = 'MEMORY' + 'MARK'; const kept = []; for (let n = 0; n < 40; n++) kept.push(new TextEncoder().encode(mark.repeat(50000))); console.log('filled')";
    let look = "let found = 0; for (const size of [1 << 12, 1 << 20, 1 << 24, 1 << 25]) { const data = new Uint8Array(size); found += data.includes(77) } console.log(found ? found : 'clean')";
    no_trace_of("javascript", fill, look);
}

/// A WebAssembly program can read all of its memory: initially, and after each page that it grows
/// by, everything must be zero.
#[test]
fn sec04_wasm_memory_and_tables_are_not_passed_on() {
    let _alone = alone();
    let fill = wat::parse_str(
        "(module (memory (export \"memory\") 512) (table $t 5000 funcref) (elem declare func $f) (func $f)
          (func (export \"_start\")
            (memory.fill (i32.const 0) (i32.const 77) (i32.const 33554432))
            (drop (memory.grow (i32.const 500)))
            (memory.fill (i32.const 33554432) (i32.const 78) (i32.const 32768000))
            (table.fill $t (i32.const 0) (ref.func $f) (i32.const 5000))))",
    );
    let look = wat::parse_str(
        "(module (memory (export \"memory\") 512) (table $t 5000 funcref)
          (func $scan (param $from i32) (param $to i32)
            (loop $next
              (if (i64.ne (i64.load (local.get $from)) (i64.const 0)) (then unreachable))
              (local.set $from (i32.add (local.get $from) (i32.const 8)))
              (br_if $next (i32.lt_u (local.get $from) (local.get $to)))))
          (func (export \"_start\") (local $i i32)
            (call $scan (i32.const 0) (i32.const 33554432))
            (drop (memory.grow (i32.const 500)))
            (call $scan (i32.const 33554432) (i32.const 66322432))
            (loop $next
              (if (i32.eqz (ref.is_null (table.get $t (local.get $i)))) (then unreachable))
              (local.set $i (i32.add (local.get $i) (i32.const 1)))
              (br_if $next (i32.lt_u (local.get $i) (i32.const 5000))))))",
    );
    let (fill, look) = (fill.expect("it is a module"), look.expect("it is a module"));
    let sandbox = sandbox("wall = \"10s\"\nfuel = 20_000_000_000", "");
    for _ in 0..5 {
        let python = run(
            &sandbox,
            Request::new(
                "python",
                "kept = [b'M' * 1000 for _ in range(30000)]\nprint('ok')",
            ),
        );
        assert_eq!(python.status, Status::Succeeded);
        let filled = run(&sandbox, Request::new("wasm", fill.clone()));
        assert_eq!(filled.status, Status::Succeeded, "{}", show(&filled));
        for _ in 0..4 {
            let looked = run(&sandbox, Request::new("wasm", look.clone()));
            assert_eq!(looked.status, Status::Succeeded, "{}", show(&looked));
        }
    }
}

/// The guests' initial state is restored completely, whatever the run before changed, also if that
/// run was interrupted.
#[test]
fn sec04_interrupted_runs_leave_nothing() {
    let _alone = alone();
    let sandbox = sandbox("wall = \"2s\"\nfuel = 200_000_000\nmemory = \"96MiB\"", "");
    for cut in [
        "import sys\nsys.modules['json'].left = 1\nwhile True: pass",
        "import json\njson.left = bytearray(2**31 - 100)",
        "import json\njson.left = 1\ndef f(): f()\nimport sys\nsys.setrecursionlimit(10**6)\nf()",
    ] {
        run(&sandbox, Request::new("python", cut));
        let outcome = run(
            &sandbox,
            Request::new(
                "python",
                "import json\nprint(hasattr(json, 'left'), json.dumps({'a': [1]}))",
            ),
        );
        assert_eq!(
            outcome.stdout.text(),
            "False {\"a\": [1]}\n",
            "after {cut}: {}",
            show(&outcome)
        );
    }
}

#[derive(Default)]
struct Kept(Mutex<String>);

impl AuditSink for Kept {
    fn record(&self, record: &AuditRecord) -> std::io::Result<()> {
        self.0
            .lock()
            .expect("no writer breaks")
            .push_str(&format!("{record:?}\n"));
        Ok(())
    }
}

/// Environment values may be secrets of the policy: only the program sees them. (SEC06)
#[test]
fn sec06_values_of_the_environment_stay_with_the_program() {
    let secret = "s3cr3t-0123456789abcdef";
    let more = format!(
        "\n[profiles.attack.environment]\nset = {{ TOKEN = \"{secret}\" }}\nallow = [\"APP_*\"]\n"
    );
    let sink = Arc::new(Kept::default());
    let sandbox = Sandbox::builder()
        .policy(policy("", &more))
        .guests(guests())
        .audit(sink.clone())
        .build()
        .expect("a sandbox can be made");
    let outcome = run(
        &sandbox,
        Request::new(
            "python",
            "import os\nprint(len(os.environ['TOKEN']), os.environ['TOKEN'].startswith('s3'))",
        ),
    );
    assert_eq!(
        outcome.stdout.text(),
        "23 True\n",
        "the program has it: {}",
        show(&outcome)
    );
    let mut request = Request::new("python", "1 / 0");
    request
        .environment
        .push(("APP_KEY".to_owned(), format!("{secret}-mine")));
    let failed = run(&sandbox, request);
    let mut request = Request::new("python", "1");
    request
        .environment
        .push(("OTHER".to_owned(), secret.to_owned()));
    let denied = run(&sandbox, request);
    assert_eq!(denied.status, Status::Denied);
    let explained = format!(
        "{:?}",
        runtime()
            .block_on(sandbox.explain(Request::new("python", "1")))
            .expect("it can be explained")
    );
    let texts = [
        handed_out(&failed),
        format!("{denied:?}"),
        explained,
        sandbox.policy().canonical_text(),
        format!("{:?}", sandbox.policy()),
        sink.0.lock().expect("no writer breaks").clone(),
    ];
    for text in texts {
        assert!(!text.contains(secret), "{text}");
    }
}

/// The same secret in the memory of the process that embeds the sandbox. (SEC02)
#[test]
fn sec02_memory_of_the_host_is_out_of_reach() {
    let secret = format!("HOST{}MEMORY{:x}", "-", std::process::id());
    let kept: Vec<String> = (0..1000)
        .map(|number| format!("{secret}{number}"))
        .collect();
    let sandbox = sandbox("wall = \"5s\"\nfuel = 10_000_000_000", "");
    let source = "data = bytearray(32 << 20)\nneedle = b'HOST' + b'-MEMORY'\nprint(data.count(needle), 'ok')";
    let outcome = run(&sandbox, Request::new("python", source));
    assert_eq!(outcome.stdout.text(), "0 ok\n", "{}", show(&outcome));
    assert_eq!(kept.len(), 1000);
}
