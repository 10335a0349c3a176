//! Results of the library: are they what the program shows?

use super::*;
use glovebox_tests::results;

#[test]
fn programs_show_results_in_several_formats() {
    results::check(&sandbox("", ""));
}

#[test]
fn results_arrive_from_programs_that_a_limit_ends() {
    results::check_limited(&sandbox_of(results::all("wasm")));
}

#[test]
fn results_beyond_the_limit_are_left_out() {
    results::check_bounds(&sandbox_of(results::small("wasm")));
}

fn sandbox_of(policy: Policy) -> Sandbox {
    let builder = Sandbox::builder().policy(policy).guests(guests());
    builder.build().expect("a sandbox can be made")
}

#[test]
fn results_arrive_between_the_output_around_them() {
    let sandbox = sandbox("", "");
    let (sender, mut receiver) = mpsc::channel::<OutputChunk>(100);
    let controls = Controls {
        output: Some(sender),
        ..Controls::default()
    };
    let program = "print('a', flush=True)\ndisplay(1)\nprint('b')";
    let outcome = run_with(&sandbox, Request::new("python", program), controls);
    let mut chunks = Vec::new();
    while let Ok(chunk) = receiver.try_recv() {
        let text = String::from_utf8_lossy(&chunk.bytes).into_owned();
        chunks.push((chunk.stream, text));
    }
    let streams: Vec<StreamName> = chunks.iter().map(|(stream, _)| *stream).collect();
    let (out, results) = (StreamName::Stdout, StreamName::Results);
    assert_eq!(streams, [out, results, out], "{chunks:?}");
    assert_eq!(
        chunks.get(1).map(|(_, json)| json.clone()),
        outcome
            .results
            .bundles
            .first()
            .map(glovebox::MimeBundle::to_json)
    );
}
