//! Attack runner: did the sandbox hold?
//!
//! A program's own output is no evidence; the outcome is judged from outside. The verdicts are
//! those of the catalogue: `denied`, `absent`, `virtual` and `limited:NAME` are safe, `trapped` is
//! safe for WebAssembly that crashes itself, everything else is a failure. A program reports errors
//! that it caught in lines that start with one of these verdicts; `got` is always a failure.

use crate::case::Case;
use crate::place::{self, GRACE};
use crate::vitals::{self, Vitals};
use crate::world::{World, own_traces};
use glovebox::{Controls, Limit, Outcome, Request, Sandbox, Status};
use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, Once, PoisonError, mpsc};
use std::time::{Duration, Instant};

/// Resident memory of the process beyond the limits of a run: code that is loaded for the first
/// time, buffers, the test harness.
const RESIDENT_SLACK: u64 = 64 << 20;

/// Paths and names of the build machine; none may be visible to a program.
const BUILDER: [&str; 8] = [
    "/.cargo/",
    "/registry/src",
    "/rustup",
    "/wasi-sdk",
    "componentize-py",
    "/csu/",
    "sysdeps",
    env!("CARGO_MANIFEST_DIR"),
];

/// A helper for attacks: `attempt(what, action)` prints the verdict of an action.
const PROBE_PYTHON: &str = r#"
def attempt(what, action, *arguments):
    try:
        result = action(*arguments)
    except (ImportError, AttributeError, NameError, NotImplementedError) as error:
        print("absent", what, type(error).__name__, flush=True)
    except (Exception, SystemExit) as error:
        print("denied", what, type(error).__name__, flush=True)
    else:
        print("got", what, repr(result)[:200], flush=True)
        return result
"#;
const PROBE_JAVASCRIPT: &str = r#"
function attempt(what, action) {
  try {
    const result = action();
    console.log("got", what, String(result).slice(0, 200));
    return result;
  } catch (error) {
    const absent = error instanceof ReferenceError || /not a function|cannot find module|could not load|undefined/i.test(String(error));
    console.log(absent ? "absent" : "denied", what, String(error && error.name));
  }
}
"#;

/// Serializes tests: memory, threads and file descriptors are counted for the whole process.
pub fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Attempts at a program that was not compiled within its wall clock, which happens to
/// any program while the machine is busy with something else, such as reading the compiler from its
/// disk for the first time.
const COMPILED_LATE: usize = 5;

/// Runs a case: its twin, which must work, the attack, which must end in one of the expected ways,
/// what comes next, and a canary.
///
/// # Panics
///
/// If any of them fails.
pub fn check(path: &str) {
    let case = Case::read(path);
    let _alone = alone();
    let world = World::plant();
    let mut more = if case.is("mounts") {
        world.mounts()
    } else {
        String::new()
    };
    more.push_str(&world.fill_in(case.text("policy").unwrap_or_default()));
    let sandbox = place::sandbox(&case.limits(), &more);
    // The program analysis is loaded once in a process, and stays.
    static LOOKED: Once = Once::new();
    LOOKED.call_once(|| {
        for (language, text) in [
            ("python", "# subprocess\n"),
            ("javascript", "// child_process\n"),
        ] {
            let _ = place::run(&place::sandbox("", ""), Request::new(language, text));
        }
    });
    let bench = Bench {
        case: &case,
        world: &world,
        sandbox: &sandbox,
    };
    bench.canary();
    bench.twin();
    let expected: BTreeSet<String> = case.texts("expect").into_iter().collect();
    assert!(!expected.is_empty(), "`{path}` expects nothing");
    let (mut words, mut report) = bench.attack("attack");
    for _ in 0..COMPILED_LATE {
        if !words.contains("limited:compile") || expected.contains("limited:compile") {
            break;
        }
        (words, report) = bench.attack("attack");
    }
    bench.canary();
    assert!(
        words.is_subset(&expected),
        "`{path}` ended as {words:?}, not as {expected:?}\n{report}"
    );
    if let Some(next) = case.parts.get("next") {
        let request = bench.request(next);
        let outcome = place::run(&sandbox, request);
        assert_eq!(
            (outcome.status, outcome.stdout.text().trim()),
            (Status::Succeeded, "ok"),
            "the run after `{path}`: {}",
            show(&outcome)
        );
    }
}

struct Bench<'a> {
    case: &'a Case,
    world: &'a World,
    sandbox: &'a Sandbox,
}

impl Bench<'_> {
    fn request(&self, part: &str) -> Request {
        let text = self.world.fill_in(part);
        let source = match self.case.language {
            "python" => format!("{PROBE_PYTHON}{text}").into_bytes(),
            "wasm" => wat::parse_str(&text)
                .unwrap_or_else(|error| panic!("`{}`: {error}", self.case.path)),
            _ => format!("{PROBE_JAVASCRIPT}{text}").into_bytes(),
        };
        let mut request = Request::new(self.case.language, source);
        request.environment = self.case.pairs("environment");
        request.artifacts = self.case.texts("artifacts");
        for (path, content) in self.case.pairs("files") {
            request.files.push(glovebox::policy::InputFile {
                path,
                content: content.into_bytes().into(),
            });
        }
        request
    }

    fn twin(&self) {
        let part = self
            .case
            .parts
            .get("twin")
            .unwrap_or_else(|| panic!("`{}` has no twin", self.case.path));
        let run = || place::run(self.sandbox, self.request(part));
        let late = |outcome: &Outcome| outcome.reached_limit() == Some(Limit::Compile);
        let outcome = (0..COMPILED_LATE)
            .map(|_| run())
            .find(|outcome| !late(outcome))
            .unwrap_or_else(run);
        let printed = self.case.language == "wasm" || outcome.stdout.text().trim() == "ok";
        assert!(
            outcome.status == Status::Succeeded && printed,
            "the twin of `{}`: {}",
            self.case.path,
            show(&outcome)
        );
    }

    /// Runs the attack and returns its verdicts in the catalogue's terms, with a report for
    /// debugging.
    fn attack(&self, part: &str) -> (BTreeSet<String>, String) {
        let part = self
            .case
            .parts
            .get(part)
            .unwrap_or_else(|| panic!("`{}` has no attack", self.case.path));
        let request = self.request(part);
        let source = self.world.fill_in(part);
        let limits = self.limits();
        let before = Vitals::now();
        vitals::forget_peak();
        let resident = vitals::resident();
        let started = Instant::now();
        let (sender, receiver) = mpsc::channel();
        let sandbox = self.sandbox.clone();
        // The program's standard input is present and empty, and its output is collected in the
        // outcome only.
        let task = place::runtime().spawn(async move {
            let result = sandbox.run_with(request, Controls::default()).await;
            // The receiver is gone if the run was given up as hanging.
            let _ = sender.send(result);
        });
        let result = receiver.recv_timeout(limits.wall + GRACE);
        let took = started.elapsed();
        let peak = vitals::peak_resident().saturating_sub(resident);
        let mut words = BTreeSet::new();
        let mut report = format!(
            "took {took:?}, resident memory rose by {} KiB\n",
            peak >> 10
        );
        match result {
            Err(mpsc::RecvTimeoutError::Timeout) => {
                task.abort();
                words.insert("hang".to_owned());
            }
            Err(mpsc::RecvTimeoutError::Disconnected) => {
                words.insert("host-crash".to_owned());
            }
            Ok(Err(error)) => {
                words.insert("host-crash".to_owned());
                report.push_str(&format!("the host failed: {error}\n"));
            }
            Ok(Ok(outcome)) => {
                words.extend(said(&outcome));
                report.push_str(&show(&outcome));
                if let Some(leak) = self.leak(&outcome, &source) {
                    words.insert("leaked".to_owned());
                    report.push_str(&format!("\nleaked: {leak}"));
                }
            }
        }
        if peak > limits.bytes / 2 * 3 + RESIDENT_SLACK {
            words.insert("overuse".to_owned());
        }
        if let Some(harm) = self.world.harm() {
            words.insert("effect".to_owned());
            report.push_str(&format!("\n{harm}"));
        }
        if let Some(left) = before.left_over() {
            words.insert("hang".to_owned());
            report.push_str(&format!("\nleft over: {left:?} after {before:?}"));
        }
        (words, report)
    }

    fn limits(&self) -> Bounds {
        let request = Request::new("python", "");
        let grant = self
            .sandbox
            .policy()
            .admit(&request, &self.sandbox.facts())
            .into_result();
        grant.map_or(
            Bounds {
                wall: Duration::from_secs(3),
                bytes: 64 << 20,
            },
            |grant| {
                let limits = grant.limits();
                Bounds {
                    wall: limits.wall,
                    bytes: limits.memory + limits.workspace + limits.output,
                }
            },
        )
    }

    /// Returns leaked data: output that the guest cannot have legitimately.
    fn leak(&self, outcome: &Outcome, source: &str) -> Option<String> {
        // Names in the attack's own source may be in its output.
        let shown = handed_out(outcome).replace(&self.world.path().display().to_string(), "");
        let secret = self.world.secret();
        let hex: String = secret.bytes().map(|byte| format!("{byte:02x}")).collect();
        let forbidden = self.case.texts("forbidden");
        let mut traces: Vec<String> = BUILDER
            .iter()
            .map(|trace| (*trace).to_owned())
            .chain(own_traces())
            .chain(forbidden)
            .collect();
        traces.retain(|trace| !source.contains(trace.as_str()));
        [secret.to_owned(), hex]
            .into_iter()
            .chain(traces)
            .find(|trace| shown.contains(trace.as_str()))
    }

    fn canary(&self) {
        let outcome = place::run(self.sandbox, place::canary(self.case.language));
        assert_eq!(
            outcome.stdout.text(),
            "42\n",
            "the canary of `{}`: {}",
            self.case.path,
            show(&outcome)
        );
    }
}

struct Bounds {
    wall: Duration,
    bytes: u64,
}

/// Returns all output of a run, as one text.
#[must_use]
pub fn handed_out(outcome: &Outcome) -> String {
    let mut text = format!("{}\n{}\n", outcome.stdout.text(), outcome.stderr.text());
    if let Some(value) = &outcome.value {
        text.push_str(&value.text);
        text.push_str(value.json.as_deref().unwrap_or_default());
    }
    if let Some(exception) = &outcome.exception {
        text.push_str(&format!(
            "\n{}\n{}\n{}",
            exception.kind, exception.message, exception.traceback
        ));
    }
    text.push_str(outcome.crash.as_deref().unwrap_or_default());
    for artifact in &outcome.artifacts {
        text.push_str(&artifact.path);
        text.push_str(&String::from_utf8_lossy(&artifact.content));
    }
    text
}

/// Returns the verdicts of a run in the catalogue's terms.
#[must_use]
pub fn said(outcome: &Outcome) -> BTreeSet<String> {
    let mut words = BTreeSet::new();
    for line in outcome.stdout.text().lines() {
        let word = line.split(' ').next().unwrap_or_default();
        if ["denied", "absent", "virtual", "got"].contains(&word) {
            words.insert(word.to_owned());
        }
    }
    let absent = [
        "ImportError",
        "ModuleNotFoundError",
        "AttributeError",
        "NameError",
        "NotImplementedError",
        "ReferenceError",
    ];
    match outcome.status {
        Status::Limited => drop(words.insert(format!(
            "limited:{}",
            outcome.reached_limit().map_or("?", glovebox::Limit::name)
        ))),
        Status::Denied => drop(words.insert("denied".to_owned())),
        Status::Cancelled => drop(words.insert("cancelled".to_owned())),
        Status::Crashed => drop(words.insert("trapped".to_owned())),
        Status::Failed => {
            let kind = outcome
                .exception
                .as_ref()
                .map_or("", |exception| exception.kind.as_str());
            words.insert(
                if absent.contains(&kind) {
                    "absent"
                } else {
                    "denied"
                }
                .to_owned(),
            );
        }
        // The action succeeded; the oracle decides whether it had an effect outside.
        Status::Succeeded if words.is_empty() => drop(words.insert("virtual".to_owned())),
        Status::Succeeded => {}
    }
    words
}

/// Formats an outcome for the report of a failed test.
#[must_use]
pub fn show(outcome: &Outcome) -> String {
    let cut = |text: &str| text.chars().take(1500).collect::<String>();
    format!(
        "{} (fuel {}, limit {:?}, exit {:?}, crash {:?}, denial {:?})\nstdout: {}\nstderr: {}\nexception: {:?}",
        outcome.status.name(),
        outcome.usage.fuel,
        outcome.reached_limit().map(glovebox::Limit::name),
        outcome.exit_code,
        outcome.crash,
        outcome.denial.as_ref().map(|denial| &denial.rule),
        cut(&outcome.stdout.text()),
        cut(&outcome.stderr.text()),
        outcome.exception.as_ref().map(|exception| format!(
            "{}: {}",
            exception.kind,
            cut(&exception.message)
        )),
    )
}
