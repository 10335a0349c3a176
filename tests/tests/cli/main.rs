//! Command line interface: does the program `glovebox` do what users and scripts expect of it?

mod commands;
mod engine;
mod messages;
mod readme;
mod run;

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
