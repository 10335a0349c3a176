//! Class G, output injection: does a guest's output harm its consumer?

use glovebox::{Request, Status};
use glovebox_tests::attack::show;
use glovebox_tests::place::{run, sandbox};

include!(concat!(env!("OUT_DIR"), "/attacks_g_output.rs"));

const NASTY: &[u8] =
    b"\xff\xfe\x00nul\r\n\x1b[31m\x1b]52;c;aGk=\x07\x1b]8;;http://x\x07\xc3\x28\xed\xa0\x80\x9b31m";

#[test]
fn out03_bytes_come_back_as_they_were_written() {
    let sandbox = sandbox("", "");
    let list: Vec<String> = NASTY.iter().map(u8::to_string).collect();
    let list = list.join(",");
    for (language, source) in [
        (
            "python",
            format!(
                "import sys\nsys.stdout.buffer.write(bytes([{list}]))\nsys.stderr.buffer.write(bytes([{list}]))\nNone"
            ),
        ),
        (
            "javascript",
            format!(
                "process.stdout.write(new Uint8Array([{list}])); process.stderr.write(new Uint8Array([{list}])); undefined"
            ),
        ),
    ] {
        let outcome = run(&sandbox, Request::new(language, source));
        assert_eq!(outcome.status, Status::Succeeded, "{}", show(&outcome));
        assert_eq!(outcome.stdout.bytes, NASTY, "{language}");
        assert_eq!(outcome.stderr.bytes, NASTY, "{language}");
    }
}

#[test]
fn out03_lone_surrogates_do_not_break_a_run() {
    let sandbox = sandbox("", "");
    for (language, source) in [
        ("python", "print('a\\ud800b', flush=True)\n'\\udfff'"),
        ("python", "raise ValueError('\\ud800')"),
        ("javascript", "console.log('a\\ud800b'); '\\udfff'"),
        ("javascript", "throw new Error('\\ud800')"),
    ] {
        let outcome = run(&sandbox, Request::new(language, source));
        assert!(
            matches!(outcome.status, Status::Succeeded | Status::Failed),
            "{source}: {}",
            show(&outcome)
        );
        assert_eq!(outcome.crash, None);
    }
}

#[test]
fn out01_what_was_written_before_the_limit_is_kept_and_marked() {
    let sandbox = sandbox("output = \"1KiB\"", "");
    let outcome = run(
        &sandbox,
        Request::new("python", "for number in range(10**6):\n    print(number)"),
    );
    assert_eq!(
        outcome.reached_limit().map(glovebox::Limit::name),
        Some("output"),
        "{}",
        show(&outcome)
    );
    assert!(outcome.stdout.truncated && outcome.stdout.bytes.len() <= 1024);
    assert!(outcome.stdout.text().starts_with("0\n1\n2\n"));
    assert!(
        outcome.usage.output < 1 << 20,
        "a run ends at its limit and does not go on writing"
    );
}

#[test]
fn out07_values_and_exceptions_are_no_larger_than_granted() {
    let sandbox = sandbox(
        "value = \"4KiB\"\noutput = \"64KiB\"\nmemory = \"256MiB\"",
        "",
    );
    for (language, source) in [
        ("python", "'x' * (10 << 20)"),
        ("python", "raise ValueError('x' * (10 << 20))"),
        (
            "python",
            "type('x' * (10 << 20), (Exception,), {})\nraise type('K' * (1 << 20), (Exception,), {})('m')",
        ),
        ("javascript", "'x'.repeat(10 << 20)"),
        ("javascript", "throw new Error('x'.repeat(10 << 20))"),
        (
            "javascript",
            "const e = new Error('x'); e.name = 'N'.repeat(10 << 20); throw e",
        ),
    ] {
        let outcome = run(&sandbox, Request::new(language, source));
        let value = outcome.value.as_ref().map_or(0, |value| {
            value.text.len() + value.json.as_ref().map_or(0, String::len)
        });
        let exception = outcome.exception.as_ref().map_or(0, |raised| {
            raised.kind.len() + raised.message.len() + raised.traceback.len()
        });
        assert!(value <= 8 << 10, "{source}: a value of {value} bytes");
        assert!(
            exception <= 16 << 10,
            "{source}: an exception of {exception} bytes"
        );
    }
}
