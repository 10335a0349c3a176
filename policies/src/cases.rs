//! Decision tables, the tests of a policy: does it decide as the table expects?
//!
//! A table is TOML with one `[[case]]` for each request and its expected decision, so that a policy
//! can be tested like code:
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
//! A case is about a request (`subject`, `profile`, `language`, `source`, `arguments`,
//! `environment`, `files`, `artifacts`, `wants`, and in there also `seed`) on a machine (`offers`,
//! `unavailable`), or about one late check of its grant (`http`, where `CONNECT HOST:PORT` is a
//! tunnel, `address`, `tool`, `package`, `running`). It is evaluated against the policy under test,
//! a preset or a text of `[policies]` (`policy`), or a text of its own (`text`). The expectation is
//! `expect` (`admit`, `deny`, `valid`, `invalid`), and if given `rule`, `tier`, `seed`, `limits`,
//! `variables`, `message` (a substring of the reason or problem) and `fix` (a substring of it).

mod evaluate;
mod schema;

use std::collections::BTreeMap;
use std::fmt;

use evaluate::{Answer, answer};
use schema::{RawCase, RawTable};

use crate::config::parse::parse_as;
use crate::config::presets::TEXTS;
use crate::policy::Policy;
use crate::problem::{ConfigError, Problems};
use crate::text::quoted;

/// The result of one case.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct CaseReport {
    /// The case's name.
    pub name: String,
    /// The line of the case in the table, from 1.
    pub line: usize,
    /// The expectations that failed, one line for each; empty if the case passed.
    pub failures: Vec<String>,
}

impl CaseReport {
    /// Returns whether all expectations were met.
    pub fn passed(&self) -> bool {
        self.failures.is_empty()
    }
}

/// One line: `ok name` or `FAILED name (line 7): expected ...`.
impl fmt::Display for CaseReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.failures.as_slice() {
            [] => write!(f, "ok {}", quoted(&self.name)),
            failures => write!(
                f,
                "FAILED {} (line {}): {}",
                quoted(&self.name),
                self.line,
                failures.join("; ")
            ),
        }
    }
}

/// Evaluates every case of a table against the policy it names, or else `policy`. `origin` is the
/// name of the table in messages.
///
/// # Errors
///
/// All problems of the table itself: syntax, unknown keys, policies that it defines and that cannot
/// be parsed. A failed expectation is no error, but a report that did not pass.
pub fn run_cases(
    origin: &str,
    text: &str,
    policy: &Policy,
) -> Result<Vec<CaseReport>, ConfigError> {
    let mut problems = Problems::new(origin, text);
    let table: Option<RawTable> = parse_as(text, &mut problems);
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
                            format!(
                                "there is no policy {} in `[policies]`, nor a preset",
                                quoted(name.get())
                            ),
                            None,
                        );
                        None
                    }
                },
                (Some(_), Some(name)) => {
                    problems.add(
                        &name.span(),
                        "a case has `policy` or `text`, not both",
                        None,
                    );
                    None
                }
            };
            let failures = answer
                .map(|answer| answer.failures(case))
                .unwrap_or_default();
            reports.push(CaseReport {
                name: case.name.get().clone(),
                line,
                failures,
            });
        }
    }
    problems.into_result().map(|()| reports)
}

/// The table's own policies, and one for each preset, with that preset as the default profile.
fn named_policies(table: &RawTable, problems: &mut Problems<'_>) -> BTreeMap<String, Policy> {
    let presets = TEXTS.iter().filter_map(|(name, _)| {
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

/// Parses the case's own policy text; its problems are an answer too.
fn answer_text(case: &RawCase, text: &str, problems: &mut Problems<'_>) -> Answer {
    match Policy::check(text) {
        Err(error) => Answer::Invalid(error),
        Ok(policy) => answer(case, &policy, problems).unwrap_or(Answer::Valid),
    }
}
