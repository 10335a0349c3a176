//! Sessions of the library: how does a test evaluate in one, and what outlives an interrupt?

use crate::attack::show;
use crate::place::runtime;
use glovebox::{CancellationToken, Controls, Outcome, Request, Sandbox, Session, Status};
use glovebox_policy::Source;
use std::time::Duration;

/// Opens a session.
///
/// # Panics
///
/// Where it does not open.
#[must_use]
pub fn open(sandbox: &Sandbox, request: Request) -> Session {
    runtime()
        .block_on(sandbox.open(request))
        .unwrap_or_else(|error| panic!("{error}"))
}

/// Evaluates a text.
///
/// # Panics
///
/// Where the session has ended.
pub fn evaluate(session: &mut Session, text: &str) -> Outcome {
    evaluate_with(session, text, Controls::default())
}

/// Evaluates a text with controls.
///
/// # Panics
///
/// Where the session has ended.
pub fn evaluate_with(session: &mut Session, text: &str, controls: Controls) -> Outcome {
    let source = Source {
        name: Source::default_name(session.grant().language()).to_owned(),
        content: text.as_bytes().into(),
    };
    let evaluation = session.evaluate_with(source, Vec::new(), Vec::new(), controls);
    runtime()
        .block_on(evaluation)
        .unwrap_or_else(|error| panic!("{text}: {error}"))
}

/// Evaluates a text and cancels that after a while.
///
/// # Panics
///
/// Where the session has ended.
pub fn interrupt(session: &mut Session, text: &str, after: Duration) -> Outcome {
    let stop = CancellationToken::new();
    let controls = Controls {
        stop: stop.clone(),
        ..Controls::default()
    };
    let stopping = std::thread::spawn(move || {
        std::thread::sleep(after);
        stop.cancel();
    });
    let outcome = evaluate_with(session, text, controls);
    stopping.join().expect("the thread only sleeps");
    outcome
}

/// Asserts that an endless program is ended by `wall` and by a caller, and that the session keeps
/// its state each time. The sandbox's `wall` must be short.
///
/// # Panics
///
/// Where it is not so.
pub fn check_outlives(sandbox: &Sandbox, language: &str, endless: &str) {
    let (set, print) = match language {
        "python" => ("kept = 'kept'", "print(kept)"),
        "javascript" | "typescript" => ("let kept = 'kept'", "console.log(kept)"),
        _ => ("kept=kept", "echo $kept"),
    };
    let mut session = open(sandbox, Request::new(language, ""));
    evaluate(&mut session, set);
    let by_wall = evaluate(&mut session, endless);
    assert!(session.is_alive(), "{endless}: {}", show(&by_wall));
    let after_wall = evaluate(&mut session, print);
    let by_caller = interrupt(&mut session, endless, Duration::from_millis(300));
    assert!(session.is_alive(), "{endless}: {}", show(&by_caller));
    let after_caller = evaluate(&mut session, print);
    assert_eq!(
        (by_wall.status, by_caller.status),
        (Status::Limited, Status::Cancelled),
        "{endless}: {}\n{}",
        show(&by_wall),
        show(&by_caller)
    );
    for after in [after_wall, after_caller] {
        assert_eq!(after.stdout.text(), "kept\n", "{endless}: {}", show(&after));
    }
}
