//! Shape: are files and functions short, signatures small, type names unique, and modules in
//! layers?

use super::{Violations, assert_none};
use glovebox_tests::measure::{Source, modules, read};
use glovebox_tests::tree::{files, relative, with_extension};
use std::collections::BTreeMap;

/// Maximum lines of a file, and of its module of unit tests.
const MAX_FILE_LINES: usize = 600;

/// Maximum lines of a function, from its signature to its closing brace.
const MAX_FUNCTION_LINES: usize = 80;

/// Maximum parameters of a function, `self` and the elements of tuples counted.
const MAX_PARAMETERS: usize = 5;

/// Maximum modules that depend on each other in a circle.
const MAX_CIRCLE: usize = 3;

/// First words of a test's name that hide what the test is about.
const NO_SUBJECTS: [&str; 8] = [
    "who", "whoever", "what", "whatever", "nobody", "somebody", "nothing", "it",
];

fn is_test_file(path: &str) -> bool {
    path.contains("/tests/") || path.ends_with("tests.rs")
}

/// Measures the files of the tree.
fn sources() -> Vec<Source> {
    let sources = with_extension("rs");
    sources
        .iter()
        .map(|(path, text)| read(path, text))
        .collect()
}

/// Returns what is too large in one file.
fn of_file(source: &Source) -> Violations {
    let mut found = Violations::new();
    let path = &source.path;
    let mut note = |rule: &str, name: &str, description: String| {
        found.insert(
            format!("{rule} {path} {name}").trim_end().to_owned(),
            description,
        );
    };
    for (lines, of) in [(source.lines, "code"), (source.test_lines, "unit tests")] {
        if lines > MAX_FILE_LINES {
            note(
                "file",
                "",
                format!("{lines} lines of {of}, not {MAX_FILE_LINES}"),
            );
        }
    }
    for function in &source.functions {
        let name = &function.name;
        let at = format!("line {}", function.line);
        if function.lines > MAX_FUNCTION_LINES {
            let lines = function.lines;
            note(
                "function",
                name,
                format!("{at}: {lines} lines, not {MAX_FUNCTION_LINES}"),
            );
        }
        if function.parameters > MAX_PARAMETERS {
            let count = function.parameters;
            note(
                "parameters",
                name,
                format!("{at}: {count} parameters, not {MAX_PARAMETERS}"),
            );
        }
        if function.takes_bool {
            note(
                "bool",
                name,
                format!("{at}: a bare `bool`; take an enum or a struct"),
            );
        }
        let own = name.rsplit("::").next().unwrap_or(name);
        if function.is_test && NO_SUBJECTS.contains(&own.split('_').next().unwrap_or_default()) {
            let form = "name it `thing_condition_result`";
            note("name", name, format!("{at}: {form}"));
        }
    }
    found
}

/// Returns the crate of a file and its path below the folder of the crate's root.
///
/// Each file or folder of `tests/`, `benches/` and `fuzz_targets/` is a crate of its own.
fn crate_of(path: &str) -> Option<(String, String)> {
    if let Some((package, rest)) = path.split_once("/src/") {
        return Some((package.to_owned(), rest.to_owned()));
    }
    let (folder, rest) = ["/tests/", "/benches/", "/fuzz_targets/"]
        .into_iter()
        .find_map(|folder| Some((folder, path.split_once(folder)?)))
        .map(|(folder, (package, rest))| (format!("{package}{folder}"), rest))?;
    Some(match rest.split_once('/') {
        Some((name, rest)) => (format!("{folder}{name}"), rest.to_owned()),
        None => (
            format!("{folder}{}", rest.trim_end_matches(".rs")),
            "main.rs".to_owned(),
        ),
    })
}

/// Returns type names that occur twice, and modules in circles.
fn of_crates(sources: &[Source]) -> Violations {
    let mut crates: BTreeMap<String, Vec<(String, &Source)>> = BTreeMap::new();
    for source in sources {
        let is_unit_test = source.path.contains("/src/") && is_test_file(&source.path);
        if let Some((name, path)) = crate_of(&source.path).filter(|_| !is_unit_test) {
            crates.entry(name).or_default().push((path, source));
        }
    }
    let mut found = Violations::new();
    for (name, files) in &crates {
        let mut types: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for (_, source) in files {
            for declared in &source.types {
                types.entry(declared).or_default().push(&source.path);
            }
        }
        for (declared, paths) in types.iter().filter(|(_, paths)| paths.len() > 1) {
            found.insert(format!("type {name} {declared}"), paths.join(", "));
        }
        let graph = modules::graph(files.iter().map(|(path, source)| (path.as_str(), *source)));
        for circle in modules::circles(&graph) {
            if circle.len() > MAX_CIRCLE {
                for module in &circle {
                    let key = format!("circle {name} {module}").trim_end().to_owned();
                    found.insert(key, format!("{} modules in a circle", circle.len()));
                }
            }
        }
    }
    found
}

#[test]
fn files_functions_and_signatures_are_small() {
    let mut found = Violations::new();
    for source in sources() {
        found.extend(of_file(&source));
    }
    assert_none(&found);
}

#[test]
fn type_names_are_unique_and_modules_are_in_layers() {
    assert_none(&of_crates(&sources()));
}

#[test]
fn modules_lie_beside_their_folders() {
    let found: Vec<String> = files()
        .iter()
        .filter(|path| path.file_name().is_some_and(|name| name == "mod.rs"))
        .map(|path| relative(path))
        .collect();
    assert!(
        found.is_empty(),
        "`foo.rs` beside `foo/`, not `foo/mod.rs`: {found:?}"
    );
}

/// The measurements themselves, of texts whose measures are known.
#[test]
fn functions_are_measured_as_they_are_written() {
    for (text, name, lines, parameters, takes_bool) in [
        ("fn a() {}", "a", 1, 0, false),
        ("pub fn a(x: bool) {\n}", "a", 2, 1, true),
        ("fn a(x: bool) {}", "a", 1, 1, false),
        ("pub(crate) fn a(x: u8, is_b: bool) {}", "a", 1, 2, true),
        ("pub fn a((x, y): (u8, u8), z: u8) {}", "a", 1, 3, false),
        ("pub fn a(x: ()) {}", "a", 1, 1, false),
        (
            "struct S;\nimpl S {\n    pub fn a(&self,\n        x: u8) {\n    }\n}",
            "S::a",
            3,
            2,
            false,
        ),
        (
            "impl Trait for S { fn a(&self, x: u8, y: bool) {} }",
            "S::a",
            1,
            0,
            false,
        ),
        ("trait T { fn a(&self, x: (u8, u8)); }", "T::a", 1, 3, false),
        ("mod m {\n    #[test]\n    fn a() {}\n}", "a", 1, 0, false),
        (
            "pub async fn a(x: &[bool], y: Option<bool>) {}",
            "a",
            1,
            2,
            false,
        ),
    ] {
        let source = read("sample.rs", text);
        let [function] = source.functions.as_slice() else {
            panic!("{text}: {:?}", source.functions);
        };
        assert_eq!(
            (
                function.name.as_str(),
                function.lines,
                function.parameters,
                function.takes_bool
            ),
            (name, lines, parameters, takes_bool),
            "{text}"
        );
    }
}

#[test]
fn unit_tests_do_not_count_as_code() {
    let text = "struct A;\nfn a() { f(\"code\"); }\n#[cfg(test)]\nmod tests {\n    struct A;\n    fn b() { f(\"test\"); }\n}\n";
    let source = read("sample.rs", text);
    assert_eq!((source.lines, source.test_lines), (2, 5));
    assert_eq!(source.types, ["A"]);
    let texts: Vec<_> = source
        .literals
        .iter()
        .map(|literal| literal.text.as_str())
        .collect();
    assert_eq!(texts, ["code"]);
}

#[test]
fn circles_of_modules_are_found() {
    let files = [
        ("lib.rs", "mod a;\nmod b;\nmod c;\npub use a::A;"),
        ("a.rs", "use crate::b::B;\nmod inner;"),
        ("a/inner.rs", "use super::super::c::C;"),
        ("b.rs", "fn f() -> crate::a::inner::D { todo() }"),
        (
            "c.rs",
            "use crate::b::{self, B};\n#[cfg(test)]\nmod tests { use crate::a::A; }",
        ),
    ];
    let sources: Vec<Source> = files.iter().map(|(path, text)| read(path, text)).collect();
    let graph = modules::graph(files.iter().map(|(path, _)| *path).zip(&sources));
    assert_eq!(modules::circles(&graph), [["a::inner", "b", "c"]]);
}
