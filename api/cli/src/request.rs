//! Construction of requests: how does a command line become a request?

use crate::cli::RequestArguments;
use crate::exit::Failure;
use crate::files::{self, Kinds};
use crate::terminal::name;
use glovebox_guests::Bundle;
use glovebox_policy::{
    Bound, Home, InputFile, LANGUAGES, Language, LimitWishes, Request, Source, Wants,
};
use std::io::{self, IsTerminal as _};
use std::path::Path;

/// Maximum bytes of a program that are read; protects this process. The policy limits the size of
/// programs.
const MAX_PROGRAM_BYTES: u64 = 256 << 20;

/// Maximum bytes of one input file that are read; protects this process.
const MAX_INPUT_FILE: u64 = 1 << 30;

/// The language of WebAssembly modules, which need no guest.
const WASM: &str = "wasm";

/// The language of the container tier.
pub(crate) const SHELL: &str = "shell";

/// A request, and what remains of standard input for the program.
#[derive(Debug)]
pub(crate) struct Prepared {
    pub(crate) request: Request,
    /// The program itself was read from standard input, so that nothing of it remains.
    pub(crate) input_is_used_up: bool,
}

/// Reads the program and its files, and builds a request of them.
pub(crate) fn prepare(
    arguments: &RequestArguments,
    bundle: Option<&Bundle>,
) -> Result<Prepared, Failure> {
    let file = arguments
        .program
        .as_deref()
        .filter(|path| *path != Path::new("-"));
    let content = match file {
        Some(path) => files::read(path, "the program", Kinds::Readable, MAX_PROGRAM_BYTES)?,
        None => program_from_input(arguments.program.is_some())?,
    };
    let language = language(arguments.language.as_deref(), file, &content, bundle)?;
    // Programs see this name, so it must not disclose where on the host the file is.
    let shown = file
        .and_then(Path::file_name)
        .map(|name| name.to_string_lossy().into_owned());
    let mut request = Request::new(language.as_str(), Vec::new());
    request.source = Source {
        name: shown.unwrap_or_else(|| Source::default_name(&language).to_owned()),
        content: content.into(),
    };
    request.profile.clone_from(&arguments.profile);
    request.arguments.clone_from(&arguments.arguments);
    request.environment = arguments
        .environment
        .iter()
        .map(|variable| (variable.name.clone(), variable.value.clone()))
        .collect();
    request.artifacts = arguments
        .artifacts
        .iter()
        .map(|rule| rule.glob.clone())
        .collect();
    request.seed = arguments.seed;
    let limits = LimitWishes {
        wall: arguments.wall,
        memory: arguments.memory,
        fuel: arguments.fuel,
        ..LimitWishes::default()
    };
    request.wants = Wants {
        limits,
        tier: arguments.tier,
        packages: arguments.packages.clone(),
        ..Wants::default()
    };
    // Checked before any of them is read.
    Bound::FILES
        .check_entries(arguments.files.len())
        .map_err(|error| Failure::usage(error.to_string()))?;
    for file in &arguments.files {
        let content = files::read(&file.host, "the file", Kinds::Regular, MAX_INPUT_FILE)?;
        request.files.push(InputFile {
            path: file.guest.clone(),
            content: content.into(),
        });
    }
    Ok(Prepared {
        request,
        input_is_used_up: file.is_none(),
    })
}

fn program_from_input(asked_for: bool) -> Result<Vec<u8>, Failure> {
    let input = io::stdin();
    if !asked_for && input.is_terminal() {
        return Err(Failure::usage("no program was given")
            .advise("name a file, as in `glovebox run hello.py`, or `-` to type the program and end it with Ctrl-D"));
    }
    files::read_all(
        input.lock(),
        "the program from standard input",
        MAX_PROGRAM_BYTES,
    )
}

fn language(
    said: Option<&str>,
    file: Option<&Path>,
    content: &[u8],
    bundle: Option<&Bundle>,
) -> Result<String, Failure> {
    let by_name = |said: &str| {
        let guest = || {
            bundle
                .and_then(|bundle| bundle.guest_for_language(said))
                .map(|(_, language)| language.name.clone())
        };
        shell(said).or_else(guest)
    };
    if let Some(said) = said {
        // An unknown language goes on: the policy denies it, and says which ones it grants.
        return Ok(by_name(said).unwrap_or_else(|| said.to_ascii_lowercase()));
    }
    let extension = file
        .and_then(Path::extension)
        .and_then(|extension| extension.to_str());
    if let Some(found) = extension.and_then(|extension| by_extension(extension, bundle)) {
        return Ok(found);
    }
    if content.starts_with(b"\0asm") {
        return Ok(WASM.to_owned());
    }
    if let Some(interpreter) = interpreter(content) {
        let known = Language::of_interpreter(&interpreter).map(|known| known.name.to_owned());
        if let Some(found) = known.or_else(|| by_name(&interpreter)) {
            return Ok(found);
        }
    }
    if let Some(found) = by_look(content) {
        return Ok(found.to_owned());
    }
    let what = file.map_or_else(
        || "the program from standard input".to_owned(),
        |path| format!("`{}`", name(&path.display().to_string())),
    );
    Err(
        Failure::usage(format!("cannot tell in which language {what} is written")).advise(format!(
            "say it: `--language NAME`, one of {}",
            spoken(bundle).join(", ")
        )),
    )
}

/// Returns the language whose keywords begin a line; `None` if several match: a wrong guess would
/// appear to be the program's error.
fn by_look(content: &[u8]) -> Option<&'static str> {
    const LOOKED_AT: usize = 64 << 10;
    let text = String::from_utf8_lossy(content.get(..LOOKED_AT).unwrap_or(content));
    let (mut python, mut javascript) = (false, false);
    for line in text.lines().map(str::trim_end) {
        let quotes = line.contains(['"', '\'', '`']);
        let words = |start: &str| {
            line.strip_prefix(start).is_some_and(|rest| {
                rest.starts_with(|c: char| c.is_alphabetic() || "_$.{[".contains(c))
            })
        };
        // JavaScript imports end with a quoted specifier, Python's never do.
        python |= (words("import ") && !quotes)
            || (words("from ") && line.contains(" import "))
            || line.starts_with("# /// script");
        python |= (words("def ") || words("class ")) && line.ends_with(':');
        python |= line.starts_with("print(");
        javascript |= (line.starts_with("import ") || line.starts_with("export ")) && quotes;
        javascript |= words("const ")
            || words("let ")
            || words("var ")
            || (words("function ") && line.contains('('));
        javascript |= line.starts_with("console.log(");
    }
    match (python, javascript) {
        (true, false) => Some("python"),
        (false, true) => Some("javascript"),
        _ => None,
    }
}

fn by_extension(extension: &str, bundle: Option<&Bundle>) -> Option<String> {
    if extension.eq_ignore_ascii_case(WASM) {
        return Some(WASM.to_owned());
    }
    let guest = || match bundle {
        Some(bundle) => bundle
            .guest_for_extension(extension)
            .map(|(_, language)| language.name.clone()),
        None => Language::of_extension(extension).map(|known| known.name.to_owned()),
    };
    shell(extension).or_else(guest)
}

/// Returns the language of the container tier, for any of its aliases.
fn shell(name: &str) -> Option<String> {
    let shell = Language::find(SHELL)?;
    shell
        .interpreters
        .iter()
        .chain([&SHELL])
        .any(|alias| name.eq_ignore_ascii_case(alias))
        .then(|| SHELL.to_owned())
}

/// Returns the interpreter that a `#!` line names, without its directory and version.
fn interpreter(content: &[u8]) -> Option<String> {
    let line = content
        .strip_prefix(b"#!")?
        .split(|byte| *byte == b'\n')
        .next()?;
    let line = std::str::from_utf8(line).ok()?;
    let mut words = line
        .split_whitespace()
        .map(|word| word.rsplit('/').next().unwrap_or(word));
    let first = words.next()?;
    // `env` takes options and variables before the program.
    let program = if first == "env" {
        words.find(|word| !word.starts_with('-') && !word.contains('='))?
    } else {
        first
    };
    Some(
        program
            .trim_end_matches(|c: char| c.is_ascii_digit() || c == '.')
            .to_owned(),
    )
}

/// Returns all supported languages.
pub(crate) fn spoken(bundle: Option<&Bundle>) -> Vec<String> {
    let mut languages: Vec<String> = match bundle {
        Some(bundle) => bundle
            .guests()
            .iter()
            .flat_map(|guest| &guest.languages)
            .map(|language| language.name.clone())
            .collect(),
        None => LANGUAGES
            .iter()
            .filter(|language| language.home == Home::Guest)
            .map(|language| language.name.to_owned())
            .collect(),
    };
    languages.extend([WASM, SHELL].map(str::to_owned));
    languages
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_language_is_what_was_said_or_else_what_shows() {
        /// The `--language` given, the file, its content, and the language expected.
        type Case = (
            Option<&'static str>,
            Option<&'static str>,
            &'static [u8],
            Option<&'static str>,
        );
        let cases: [Case; 22] = [
            (Some("Python"), Some("x.js"), b"", Some("python")),
            (None, Some("x.py"), b"", Some("python")),
            (None, Some("dir.js/x.PY"), b"", Some("python")),
            (None, Some("x.mjs"), b"", Some("javascript")),
            (None, Some("x.wasm"), b"", Some("wasm")),
            (None, Some("x"), b"\0asm\x01\0\0\0", Some("wasm")),
            (
                None,
                Some("x"),
                b"#!/usr/bin/python3.14 -I\nprint(1)",
                Some("python"),
            ),
            (
                None,
                Some("x"),
                b"#!/usr/bin/env -S A=1 node --x\n",
                Some("javascript"),
            ),
            (None, None, b"#!/usr/bin/env python3", Some("python")),
            (None, None, b"print(1)", Some("python")),
            (None, None, b"import numpy as np\nx = 1", Some("python")),
            (None, None, b"from rich import print", Some("python")),
            (None, None, b"import x from 'y'", Some("javascript")),
            (None, None, b"const x = 1", Some("javascript")),
            (None, None, b"console.log(1)", Some("javascript")),
            (None, None, b"x = 1", None),
            (None, None, b"import os\nconst x = 1", None),
            (None, Some("x.rb"), b"#!/usr/bin/env ruby\n", None),
            (None, Some("x.rb"), b"#!\n", None),
            (None, Some("x.sh"), b"", Some("shell")),
            (None, Some("x"), b"#!/bin/bash -e\n", Some("shell")),
            (Some("bash"), None, b"", Some("shell")),
        ];
        for (said, file, content, expected) in cases {
            let found = language(said, file.map(Path::new), content, None);
            assert_eq!(found.ok().as_deref(), expected, "{said:?} {file:?}");
        }
    }

    #[test]
    fn a_program_does_not_learn_where_it_lies_on_the_host() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret-name.py");
        #[expect(clippy::disallowed_methods, reason = "a file of the test")]
        std::fs::write(&path, "print(1)").unwrap();
        let prepared = prepare(
            &RequestArguments {
                program: Some(path),
                ..Default::default()
            },
            None,
        )
        .unwrap();
        assert_eq!(prepared.request.source.name, "secret-name.py");
        assert_eq!(&*prepared.request.source.content, b"print(1)");
        assert!(!prepared.input_is_used_up);
    }

    #[test]
    fn input_that_is_no_file_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        for path in [folder.path().to_owned(), folder.path().join("missing.py")] {
            assert!(
                prepare(
                    &RequestArguments {
                        program: Some(path),
                        ..Default::default()
                    },
                    None
                )
                .is_err()
            );
        }
    }
}
