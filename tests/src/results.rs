//! Results of the library: which results does a program show, in either tier?

use crate::attack::show;
use crate::place::run;
use glovebox::{Limit, Outcome, Policy, Request, Sandbox, Status};
use glovebox_policy::Source;
use std::time::Duration;

/// A program, and the results that it shows as JSON.
struct Row {
    language: &'static str,
    program: &'static str,
    results: &'static [&'static str],
    stderr: &'static str,
}

const fn row(
    language: &'static str,
    program: &'static str,
    results: &'static [&'static str],
) -> Row {
    Row {
        language,
        program,
        results,
        stderr: "",
    }
}

const ROWS: &[Row] = &[
    row("python", "42", &[]),
    row("python", "{'a': [1]}", &[]),
    row("python", "display()", &[]),
    row(
        "python",
        "display(1, 'a')\nprint(display(None))",
        &[
            r#"{"origin":"display","data":{"text/plain":"1"}}"#,
            r#"{"origin":"display","data":{"text/plain":"'a'"}}"#,
            r#"{"origin":"display","data":{"text/plain":"None"}}"#,
        ],
    ),
    row(
        "python",
        "class H:\n    def _repr_html_(self): return '<b>é</b>'\n    def __repr__(self): return 'H()'\nfrom glovebox import display as show\nshow(H())\nH()",
        &[
            r#"{"origin":"display","data":{"text/plain":"H()","text/html":"<b>é</b>"}}"#,
            r#"{"origin":"value","data":{"text/plain":"H()","text/html":"<b>é</b>"}}"#,
        ],
    ),
    row(
        "python",
        "class M:\n    def __repr__(self): return 'M'\n    def _repr_mimebundle_(self, include=None, exclude=None):\n        return {'text/plain': 'm', 'image/png': b'\\x89PNG'}, {'image/png': {'width': 1}}\n    def _repr_svg_(self): return '<svg/>'\n    def _repr_json_(self): return {'b': [1, 2.5], 'a': None}\n    def _repr_latex_(self): return None\nM()",
        &[
            r#"{"origin":"value","data":{"text/plain":"m","image/png":"iVBORw==","image/svg+xml":"<svg/>","application/json":{"b":[1,2.5],"a":null}}}"#,
        ],
    ),
    row(
        "python",
        "class H:\n    def _repr_html_(self): return '<b>'\nH",
        &[],
    ),
    row(
        "python",
        "from IPython.display import HTML, Markdown, SVG, JSON, Image, display\ndisplay(HTML('<i>'), Markdown('# x'), SVG('<svg/>'), JSON([1]), Image(b'\\xff\\xd8', format='jpeg'), exclude=['text/plain'])",
        &[
            r#"{"origin":"display","data":{"text/html":"<i>"}}"#,
            r##"{"origin":"display","data":{"text/markdown":"# x"}}"##,
            r#"{"origin":"display","data":{"image/svg+xml":"<svg/>"}}"#,
            r#"{"origin":"display","data":{"application/json":[1]}}"#,
            r#"{"origin":"display","data":{"image/jpeg":"/9g="}}"#,
        ],
    ),
    row(
        "python",
        "display({'text/html': '<p>', 'application/vnd.x+json': {}}, raw=True)",
        &[r#"{"origin":"display","data":{"text/html":"<p>","application/vnd.x+json":{}}}"#],
    ),
    row(
        "python",
        "display('first')\n1 / 0",
        &[r#"{"origin":"display","data":{"text/plain":"'first'"}}"#],
    ),
    Row {
        language: "python",
        program: "class H:\n    def _repr_html_(self): raise ValueError('no')\n    def __repr__(self): return 'H'\nH()",
        results: &[],
        stderr: "H._repr_html_ failed: ValueError: no\n",
    },
    Row {
        language: "python",
        program: "display({'text/plain': 1}, raw=True)\ndisplay({'nonsense': 'x'}, raw=True)\ndisplay({'image/png': '!'}, raw=True)\n7",
        results: &[],
        stderr: "a result is not shown: ValueError: `nonsense` is no MIME type\n",
    },
    Row {
        language: "javascript",
        program: "display({ 'text/plain': 1 }, { raw: true }); display({ nonsense: 'x' }, { raw: true }); display({ 'image/png': 5 }, { raw: true }); 7",
        results: &[],
        stderr: "a result is not shown: TypeError: `nonsense` is no MIME type\n",
    },
    row(
        "python",
        "display({'application/json': {'z': 123456789012345678901234567890, 'a': '\\n'}}, raw=True)",
        &[
            r#"{"origin":"display","data":{"application/json":{"z":123456789012345678901234567890,"a":"\n"}}}"#,
        ],
    ),
    row("javascript", "42", &[]),
    row("javascript", "({ a: 1 })", &[]),
    row(
        "javascript",
        "display({ a: [1] }); display('x')",
        &[
            r#"{"origin":"display","data":{"text/plain":"{ a: [ 1 ] }"}}"#,
            r#"{"origin":"display","data":{"text/plain":"'x'"}}"#,
        ],
    ),
    row(
        "javascript",
        "class H { [Symbol.for('Jupyter.display')]() { return { 'text/html': '<b>é</b>', 'image/png': new Uint8Array([137, 80]) }; } }\ndisplay(new H());\nnew H()",
        &[
            r#"{"origin":"display","data":{"text/plain":"H {}","text/html":"<b>é</b>","image/png":"iVA="}}"#,
            r#"{"origin":"value","data":{"text/plain":"H {}","text/html":"<b>é</b>","image/png":"iVA="}}"#,
        ],
    ),
    row(
        "javascript",
        "const late = { async [Symbol.for('Jupyter.display')]() { await null; return { 'text/plain': 'late' }; } };\nawait display(late); display({ 'application/json': { b: 1, a: [] } }, { raw: true })",
        &[
            r#"{"origin":"display","data":{"text/plain":"late"}}"#,
            r#"{"origin":"display","data":{"application/json":{"b":1,"a":[]}}}"#,
        ],
    ),
    row(
        "javascript",
        "setTimeout(() => display(2), 5); display(1)",
        &[
            r#"{"origin":"display","data":{"text/plain":"1"}}"#,
            r#"{"origin":"display","data":{"text/plain":"2"}}"#,
        ],
    ),
    row(
        "python",
        "import os\ndisplay('before')\nos._exit(0)",
        &[r#"{"origin":"display","data":{"text/plain":"'before'"}}"#],
    ),
    row(
        "python",
        "import os\ndisplay(1)\ndisplay(2)\nos._exit(3)",
        &[
            r#"{"origin":"display","data":{"text/plain":"1"}}"#,
            r#"{"origin":"display","data":{"text/plain":"2"}}"#,
        ],
    ),
    row(
        "javascript",
        "display(1); process.exit(3); display(2)",
        &[r#"{"origin":"display","data":{"text/plain":"1"}}"#],
    ),
    row(
        "javascript",
        "process.exitCode = 4; display(1); process.reallyExit?.(0)",
        &[r#"{"origin":"display","data":{"text/plain":"1"}}"#],
    ),
    row(
        "typescript",
        "const n: number = 7; display(n)",
        &[r#"{"origin":"display","data":{"text/plain":"7"}}"#],
    ),
];

/// Returns the results of an outcome as JSON.
fn results_of(outcome: &Outcome) -> Vec<String> {
    let bundles = outcome.results.bundles.iter();
    bundles.map(glovebox::MimeBundle::to_json).collect()
}

/// Returns the request of a program.
fn request(language: &str, program: &str) -> Request {
    let mut request = Request::new(language, Vec::new());
    request.source = Source {
        name: Source::default_name(language).to_owned(),
        content: program.as_bytes().into(),
    };
    request
}

/// Asserts that programs show their results in one tier.
///
/// # Panics
///
/// Where one does not.
pub fn check(sandbox: &Sandbox) {
    for row in ROWS {
        let outcome = run(sandbox, request(row.language, row.program));
        assert_eq!(
            results_of(&outcome),
            row.results,
            "{}: {}",
            row.program,
            show(&outcome)
        );
        let stderr = outcome.stderr.text();
        assert!(
            stderr.contains(row.stderr)
                && (!row.stderr.is_empty() || stderr.is_empty() || stderr.starts_with("Traceback")),
            "{}: {stderr}",
            row.program
        );
        assert!(!outcome.results.truncated, "{}", row.program);
    }
}

/// Asserts that results which do not fit are left out, and that the program goes on. The sandbox's
/// `results` must be a few kilobytes.
///
/// # Panics
///
/// Where it is not so.
pub fn check_bounds(sandbox: &Sandbox) {
    for (language, program, after) in [
        ("python", "display('x' * 10_000)\ndisplay('y')", "'y'"),
        (
            "javascript",
            "display('x'.repeat(10_000)); display('y')",
            "'y'",
        ),
        ("python", "for n in range(1_000): display(n)\ndisplay", "0"),
    ] {
        let outcome = run(sandbox, request(language, program));
        assert_eq!(outcome.status, Status::Succeeded, "{}", show(&outcome));
        assert!(outcome.results.truncated, "{}", show(&outcome));
        let stderr = outcome.stderr.text();
        assert!(stderr.contains("limits.results"), "{program}: {stderr}");
        let results = results_of(&outcome);
        let first = results.first().expect("what fits is shown");
        assert!(
            first.contains(&format!("\"text/plain\":\"{after}\"")),
            "{program}: {first}"
        );
    }
}

/// Asserts that results arrive from programs that a limit of the host ends.
///
/// # Panics
///
/// Where one does not.
pub fn check_limited(sandbox: &Sandbox) {
    for (language, program) in [
        ("python", "display(1)\nimport time\ntime.sleep(60)"),
        ("javascript", "display(1); setTimeout(() => {}, 60_000)"),
        (
            "typescript",
            "const n: number = 1; display(n); await new Promise((done) => setTimeout(done, 60_000))",
        ),
    ] {
        let mut request = request(language, program);
        request.wants.limits.wall = Some(Duration::from_secs(4));
        let outcome = run(sandbox, request);
        let reached = outcome.reached_limit();
        assert_eq!(reached, Some(Limit::Wall), "{program} {}", show(&outcome));
        let shown = r#"{"origin":"display","data":{"text/plain":"1"}}"#;
        assert_eq!(results_of(&outcome), [shown], "{}", show(&outcome));
    }
}

/// Returns a policy for one tier with a small limit on results.
///
/// # Panics
///
/// Where the tier is unknown.
#[must_use]
pub fn small(tier: &str) -> Policy {
    policy(tier, "results = \"4KiB\"")
}

/// Returns a policy for one tier.
///
/// # Panics
///
/// Where the tier is unknown.
#[must_use]
pub fn all(tier: &str) -> Policy {
    policy(tier, "")
}

fn policy(tier: &str, limit: &str) -> Policy {
    let text = format!(
        "version = 1\ndefault_profile = \"t\"\n[profiles.t]\nextends = \"default\"\ntiers = [\"{tier}\"]\n\
         [profiles.t.limits]\nmemory = \"256MiB\"\n{limit}\n"
    );
    Policy::parse("test", &text).unwrap_or_else(|problems| panic!("{problems}"))
}
