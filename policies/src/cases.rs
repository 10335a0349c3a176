//! Does a policy decide as a table says?
//!
//! A table is TOML with one `[[case]]` for each question and its expected answer, so that a policy can be tested like code:
//!
//! ```
//! use glovebox_policy::{Policy, cases::run_cases};
//!
//! let reports = run_cases("cases.toml", r#"
//!     [[case]]
//!     name = "everyday scripts run"
//!     language = "python"
//!     expect = "admit"
//!
//!     [[case]]
//!     name = "nothing reaches the network"
//!     http = "GET https://example.org/"
//!     expect = "deny"
//!     rule = "profiles.default.network.allow"
//! "#, &Policy::builtin())?;
//! assert!(reports.iter().all(|report| report.passed()));
//! # Ok::<(), glovebox_policy::ConfigError>(())
//! ```
//!
//! A case asks about a request (`subject`, `profile`, `language`, `source`, `arguments`, `environment`, `files`, `artifacts`,
//! `wants`, and in there also `seed`) on a machine (`offers`, `unavailable`), or about one thing that its grant is asked later
//! (`http`, where `CONNECT HOST:PORT` is a tunnel, `address`, `tool`, `package`, `running`). It is put to the policy under test, to a preset or a text of `[policies]` (`policy`), or to a
//! text of its own (`text`). The answer is `expect` (`admit`, `deny`, `valid`, `invalid`), and where they are given `rule`, `tier`,
//! `seed`, `limits`, `variables`, `message` (a part of the reason or problem) and `fix` (a part of it).

mod ask;
mod raw;

use std::collections::BTreeMap;
use std::fmt;

use crate::config::parse::read_as;
use crate::policy::Policy;
use crate::problem::{ConfigError, Problems};
use crate::text::quoted;
use ask::{Answer, answer};
use raw::{RawCase, RawTable};

/// What came of one case.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct CaseReport {
    /// The case's name.
    pub name: String,
    /// The line of the table where it stands, from 1.
    pub line: usize,
    /// What was expected and did not come, one line for each; empty if the case passed.
    pub failures: Vec<String>,
}

impl CaseReport {
    /// Whether everything was as expected.
    pub fn passed(&self) -> bool {
        self.failures.is_empty()
    }
}

/// One line: `ok name` or `FAILED name (line 7): expected ...`.
impl fmt::Display for CaseReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.failures.as_slice() {
            [] => write!(f, "ok {}", quoted(&self.name)),
            failures => write!(f, "FAILED {} (line {}): {}", quoted(&self.name), self.line, failures.join("; ")),
        }
    }
}

/// Puts every case of a table to its policy, or to `policy` if it names none. `origin` is what messages call the table.
///
/// # Errors
///
/// All that is wrong with the table itself: syntax, unknown keys, policies that it defines and that cannot be read. A case that
/// was answered otherwise than expected is no error, but a report that did not pass.
pub fn run_cases(origin: &str, text: &str, policy: &Policy) -> Result<Vec<CaseReport>, ConfigError> {
    let mut problems = Problems::new(origin, text);
    let table: Option<RawTable> = read_as(text, &mut problems);
    let mut reports = Vec::new();
    if let Some(table) = &table {
        let named = named_policies(table, &mut problems);
        for case in &table.case {
            let line = problems.locate(case.name.span().start).0;
            let answer = match (&case.text, &case.policy) {
                (Some(text), None) => Some(answer_text(case, text, &mut problems)),
                (None, None) => answer(case, policy, &mut problems),
                (None, Some(name)) => match named.get(name.get().as_str()) {
                    Some(policy) => answer(case, policy, &mut problems),
                    None => {
                        problems.add(
                            &name.span(),
                            format!("there is no policy {} in `[policies]`, nor a preset", quoted(name.get())),
                            None,
                        );
                        None
                    }
                },
                (Some(_), Some(name)) => {
                    problems.add(&name.span(), "a case has `policy` or `text`, not both", None);
                    None
                }
            };
            let failures = answer.map(|answer| answer.failures(case)).unwrap_or_default();
            reports.push(CaseReport { name: case.name.get().clone(), line, failures });
        }
    }
    problems.into_result().map(|()| reports)
}

/// The table's own policies, and one for each preset in which it is everybody's default.
fn named_policies(table: &RawTable, problems: &mut Problems<'_>) -> BTreeMap<String, Policy> {
    let presets = crate::config::presets::TEXTS.iter().filter_map(|(name, _)| {
        let policy = Policy::check(&format!("version = 1\ndefault_profile = \"{name}\"")).ok()?;
        Some(((*name).to_owned(), policy))
    });
    let mut named: BTreeMap<String, Policy> = presets.collect();
    for (name, text) in &table.policies {
        match Policy::parse(name.get(), text.get()) {
            Ok(policy) => drop(named.insert(name.get().clone(), policy)),
            Err(error) => problems.add(&text.span(), error.to_string().replace('\n', "; "), None),
        }
    }
    named
}

/// Reads the case's own text; what is wrong with it is an answer too.
fn answer_text(case: &RawCase, text: &str, problems: &mut Problems<'_>) -> Answer {
    match Policy::check(text) {
        Err(error) => Answer::Invalid(error),
        Ok(policy) => answer(case, &policy, problems).unwrap_or(Answer::Valid),
    }
}
