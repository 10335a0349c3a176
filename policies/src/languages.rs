//! Known languages: what is known of a language apart from how it is run?
//!
//! One table, from which the command line, the surveys of packages, the inspections and the presets
//! take what they need. A language that is not in it can run as well, if a tier has it.

use crate::packages::ecosystem::Ecosystem;

/// A known language.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Language {
    /// Its name in policies and requests.
    pub name: &'static str,
    /// The default file name of a program.
    pub file_name: &'static str,
    /// The extensions of its files; the first is the usual one.
    pub extensions: &'static [&'static str],
    /// Other names of it: interpreters as a `#!` line names them.
    pub interpreters: &'static [&'static str],
    /// The ecosystem of its packages, if it has any. It also decides which parser inspects a
    /// program.
    pub ecosystem: Option<Ecosystem>,
    /// The tier that the language was added for.
    pub home: Home,
    /// A program that writes `42` and a newline, to check that the language works; empty if it is
    /// not text.
    pub check: &'static str,
}

/// The tier that a language was added for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Home {
    /// A guest of the wasm tier; `@wasm` in a policy includes it.
    Guest,
    /// The wasm tier itself; `@wasm` in a policy includes it.
    Module,
    /// The container tier alone.
    Container,
}

/// Every known language.
pub const LANGUAGES: [Language; 5] = [
    Language {
        name: "python",
        file_name: "main.py",
        extensions: &["py"],
        interpreters: &[],
        ecosystem: Some(Ecosystem::Python),
        home: Home::Guest,
        check: "print(6 * 7)",
    },
    Language {
        name: "javascript",
        file_name: "main.js",
        extensions: &["js", "mjs"],
        interpreters: &["node", "nodejs", "qjs"],
        ecosystem: Some(Ecosystem::JavaScript),
        home: Home::Guest,
        check: "console.log(6 * 7)",
    },
    Language {
        name: "typescript",
        file_name: "main.ts",
        extensions: &["ts", "mts", "cts", "tsx", "jsx"],
        interpreters: &["bun", "deno", "ts-node", "tsx"],
        ecosystem: Some(Ecosystem::JavaScript),
        home: Home::Guest,
        check: "const answer: number = 6 * 7\nconsole.log(answer)",
    },
    Language {
        name: "wasm",
        file_name: "main.wasm",
        extensions: &["wasm"],
        interpreters: &[],
        ecosystem: None,
        home: Home::Module,
        check: "",
    },
    Language {
        name: "shell",
        file_name: "main.sh",
        extensions: &["sh", "bash"],
        interpreters: &["sh", "bash"],
        ecosystem: None,
        home: Home::Container,
        check: "echo $((6 * 7))",
    },
];

/// The group of all languages of the wasm tier, in the list of a policy.
pub(crate) const WASM_GROUP: &str = "@wasm";

impl Language {
    /// Returns a known language by its name.
    pub fn find(name: &str) -> Option<&'static Self> {
        LANGUAGES.iter().find(|language| language.name == name)
    }

    /// Returns the ecosystem of a language's packages; `None` if it has none.
    pub fn ecosystem_of(name: &str) -> Option<Ecosystem> {
        Self::find(name)?.ecosystem
    }

    /// Returns a known language by the extension of a file, in upper or lower case.
    pub fn of_extension(extension: &str) -> Option<&'static Self> {
        LANGUAGES.iter().find(|language| {
            let mut known = language.extensions.iter();
            known.any(|known| known.eq_ignore_ascii_case(extension))
        })
    }

    /// Returns a known language by its name or that of an interpreter.
    pub fn of_interpreter(interpreter: &str) -> Option<&'static Self> {
        LANGUAGES.iter().find(|language| {
            language.name == interpreter || language.interpreters.contains(&interpreter)
        })
    }

    /// Returns the languages that the group `@wasm` of a policy stands for.
    pub(crate) fn of_wasm() -> impl Iterator<Item = &'static str> {
        LANGUAGES
            .iter()
            .filter(|language| language.home != Home::Container)
            .map(|language| language.name)
    }
}
