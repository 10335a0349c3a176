//! Streams of the library: does output come in order and while the program runs?

use super::*;

#[test]
fn a_stopped_run_ends_at_once_and_keeps_what_it_wrote() {
    let sandbox = sandbox("wall = \"30s\"\nfuel = 1_000_000_000_000", "");
    for (language, source) in [
        ("python", "print('started', flush=True)\nwhile True: pass"),
        (
            "python",
            "print('started', flush=True)\nimport time\ntime.sleep(60)",
        ),
        ("javascript", "console.log('started'); for (;;);"),
        (
            "javascript",
            "console.log('started'); await new Promise((done) => setTimeout(done, 60000))",
        ),
    ] {
        let controls = Controls::default();
        let stop = controls.stop.clone();
        let task = {
            let sandbox = sandbox.clone();
            runtime().spawn(async move {
                sandbox
                    .run_with(Request::new(language, source), controls)
                    .await
            })
        };
        std::thread::sleep(Duration::from_millis(300));
        stop.cancel();
        let stopped = Instant::now();
        let outcome = runtime()
            .block_on(task)
            .expect("it ends")
            .expect("the host works");
        assert!(stopped.elapsed() < place::GRACE, "{source}");
        assert_eq!(
            (outcome.status, outcome.stdout.text().as_ref()),
            (Status::Cancelled, "started\n"),
            "{}",
            show(&outcome)
        );
        assert_eq!((outcome.exit_code, outcome.limit), (None, None));
    }
    let controls = Controls::default();
    controls.stop.cancel();
    let outcome = run_with(&sandbox, Request::new("python", "print('ran')"), controls);
    assert_eq!(
        (outcome.status, outcome.stdout.bytes.len()),
        (Status::Cancelled, 0),
        "stopped before it began"
    );
}

#[test]
fn output_streams_in_the_order_in_which_it_was_written() {
    let sandbox = sandbox("", "");
    for (language, source) in [
        (
            "python",
            "import sys\nfor n in range(5):\n    print('out', n)\n    print('err', n, file=sys.stderr)",
        ),
        (
            "javascript",
            "for (let n = 0; n < 5; n++) { console.log('out', n); console.error('err', n); }",
        ),
    ] {
        let (sender, mut receiver) = mpsc::channel::<OutputChunk>(2);
        let (outcome, chunks) = runtime().block_on(async {
            let collect = async {
                let mut chunks = Vec::new();
                while let Some(chunk) = receiver.recv().await {
                    chunks.push(chunk);
                }
                chunks
            };
            tokio::join!(
                sandbox.run_with(
                    Request::new(language, source),
                    Controls {
                        output: Some(sender),
                        ..Controls::default()
                    }
                ),
                collect
            )
        });
        let outcome = outcome.expect("the host works");
        let text: String = chunks
            .iter()
            .map(|chunk| String::from_utf8_lossy(&chunk.bytes).into_owned())
            .collect();
        let expected: String = (0..5).map(|n| format!("out {n}\nerr {n}\n")).collect();
        assert_eq!(text, expected, "{language}");
        let stdout: Vec<u8> = chunks
            .iter()
            .filter(|chunk| chunk.stream == StreamName::Stdout)
            .flat_map(|chunk| chunk.bytes.to_vec())
            .collect();
        assert_eq!(stdout, outcome.stdout.bytes);
    }
}

#[test]
fn output_comes_while_the_program_runs() {
    let sandbox = sandbox("wall = \"3s\"", "");
    for (language, source) in [
        (
            "python",
            "import time\nprint('first')\ntime.sleep(0.5)\nprint('second')",
        ),
        (
            "javascript",
            "console.log('first'); await new Promise((done) => setTimeout(done, 500)); console.log('second')",
        ),
    ] {
        let (sender, mut receiver) = mpsc::channel(8);
        let task = {
            let sandbox = sandbox.clone();
            runtime().spawn(async move {
                sandbox
                    .run_with(
                        Request::new(language, source),
                        Controls {
                            output: Some(sender),
                            ..Controls::default()
                        },
                    )
                    .await
            })
        };
        let first = runtime()
            .block_on(receiver.recv())
            .expect("there is output");
        assert_eq!(
            (&first.bytes[..], task.is_finished()),
            (&b"first\n"[..], false),
            "{language}"
        );
        let second = runtime().block_on(receiver.recv()).expect("there is more");
        assert_eq!(&second.bytes[..], b"second\n");
        assert_eq!(
            runtime()
                .block_on(task)
                .expect("it ends")
                .expect("the host works")
                .status,
            Status::Succeeded
        );
    }
}

#[test]
fn a_slow_reader_gets_everything() {
    let sandbox = sandbox(
        "output = \"8MiB\"\nwall = \"10s\"\nfuel = 20_000_000_000",
        "",
    );
    let (sender, mut receiver) = mpsc::channel::<OutputChunk>(1);
    let (outcome, total) = runtime().block_on(async {
        let read = async {
            let mut total = 0;
            while let Some(chunk) = receiver.recv().await {
                total += chunk.bytes.len();
                tokio::task::yield_now().await;
            }
            total
        };
        tokio::join!(
            sandbox.run_with(
                Request::new("python", "for n in range(2000):\n    print('x' * 999)"),
                Controls {
                    output: Some(sender),
                    ..Controls::default()
                }
            ),
            read
        )
    });
    let outcome = outcome.expect("the host works");
    assert_eq!(
        (outcome.status, total, outcome.stdout.bytes.len()),
        (Status::Succeeded, 2_000_000, 2_000_000),
        "{}",
        show(&outcome)
    );
}
