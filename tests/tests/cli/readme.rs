//! The README: does what it tells people to type print what it says?

use super::*;
use std::fmt::Write as _;

/// A command of the README, and what it says that the command prints.
struct Example {
    command: String,
    output: String,
}

/// Returns the commands of the consoles of a section. A line that is indented belongs to the
/// command before it.
fn examples(readme: &str, section: &str) -> Vec<Example> {
    let start = readme.find(section).expect("the section is there");
    let section = &readme[start + section.len()..];
    let section = section.find("\n## ").map_or(section, |end| &section[..end]);
    let mut examples: Vec<Example> = Vec::new();
    for console in section.split("```console\n").skip(1) {
        let console = console.split("```").next().unwrap_or_default();
        for line in console.lines() {
            match (line.strip_prefix("$ "), examples.last_mut()) {
                (Some(command), _) => examples.push(Example {
                    command: command.to_owned(),
                    output: String::new(),
                }),
                (None, Some(example)) if line.starts_with("    ") && example.output.is_empty() => {
                    let _ = write!(example.command, "\n{line}");
                }
                (None, Some(example)) if !line.is_empty() => {
                    let _ = writeln!(example.output, "{line}");
                }
                _ => {}
            }
        }
    }
    examples
}

/// Returns a port without a listener.
fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port is free");
    listener.local_addr().expect("it is bound").port()
}

fn section(name: &str) -> Vec<Example> {
    let readme = std::fs::read_to_string(root().join("README.md")).expect("it is there");
    examples(&readme, name)
}

#[test]
fn the_service_does_what_the_readme_says() {
    let examples = section("## Run the service");
    let outputs = examples.iter().filter(|example| !example.output.is_empty());
    assert!(outputs.count() >= 5, "its consoles are read");
    check(&examples);
}

#[test]
fn data_can_be_talked_about_as_the_readme_says() {
    let languages = ["python", "javascript"];
    if glovebox_tests::engine::sandbox_for(&languages, glovebox::Policy::builtin()).is_none() {
        return;
    }
    // The service and the key come from the section before.
    let mut examples = section("## Run the service");
    examples.truncate(4);
    examples.extend(section("## Talk about data"));
    let folder = check(&examples);
    let chart = std::fs::read(folder.path().join("chart.png")).expect("the chart is there");
    assert!(chart.starts_with(b"\x89PNG"), "{} bytes", chart.len());
}

/// Runs the commands one after another, and compares what they print. Returns the folder in which
/// they ran.
fn check(examples: &[Example]) -> tempfile::TempDir {
    let port = free_port().to_string();
    let mut script = "set -u; trap 'kill $(jobs -p)' EXIT\n".to_owned();
    for (at, example) in examples.iter().enumerate() {
        let command = example
            .command
            .replace(
                "glovebox serve",
                &format!("glovebox serve --listen 127.0.0.1:{port}"),
            )
            .replace("8300", &port);
        let _ = writeln!(script, "echo '=== {at}'\n{command}");
    }
    let folder = tempfile::tempdir().expect("a folder can be made");
    let programs = program();
    let programs = std::path::Path::new(&programs).parent().expect("a folder");
    let path = std::env::var("PATH").unwrap_or_default();
    let output = Command::new("bash")
        .args(["-c", &script])
        .current_dir(&folder)
        .env("PATH", format!("{}:{path}", programs.display()))
        .stdin(Stdio::null())
        .stderr(Stdio::piped())
        .output()
        .expect("there is a shell");
    let (said, errors) = (text(&output.stdout), text(&output.stderr));
    for (at, example) in examples.iter().enumerate() {
        let mark = format!("=== {at}\n");
        let own = said
            .split(&mark)
            .nth(1)
            .unwrap_or_else(|| panic!("{said}\n{errors}"));
        let own = own.split("=== ").next().unwrap_or_default();
        // The README says that there is more.
        let (expected, is_start) = match example.output.strip_suffix("...\n") {
            Some(start) => (start, true),
            None => (example.output.as_str(), false),
        };
        let holds = if is_start {
            own.starts_with(expected)
        } else {
            expected.is_empty() || own == expected
        };
        assert!(
            holds,
            "{}\n{own}\nnot\n{expected}\n{errors}",
            example.command
        );
    }
    assert!(!said.contains("\"status\":4"), "{said}");
    folder
}
