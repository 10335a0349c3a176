//! Report of a run: what does a user need to know besides its output?
//!
//! Nothing if the program ended by itself: its exit code and its output say all. Otherwise what
//! ended it, and what would change that.

use super::artifacts::{ArtifactRules, Saved};
use super::results::{Drawing, SavedResult, unseen};
use crate::advice::Asked;
use crate::policy::policy_file;
use crate::terminal::{self, name};
use glovebox::{LimitHit, LimitSource, Outcome, Results, Sandbox, Status};
use glovebox_policy::{Denial, Tier};

/// Prints to standard error how the run ended, unless its output says it.
pub(super) fn report(sandbox: &Sandbox, outcome: &Outcome, asked: &Asked) {
    if !outcome.packages.is_empty() && outcome.tier != Some(Tier::Wasm) {
        // A user who asked for a package did not ask for another tier.
        terminal::note(&format!("glovebox: {}", name(&outcome.tier_reason)));
    }
    match outcome.status {
        Status::Succeeded | Status::Failed => {}
        Status::Cancelled => terminal::complain("the run was cancelled", None),
        Status::Crashed => {
            let why = outcome.crash.as_deref().unwrap_or("for an unknown reason");
            terminal::complain(
                &format!("the program broke its interpreter: {why}"),
                Some("nothing else was harmed, and the broken interpreter is thrown away"),
            );
        }
        Status::Denied => {
            if let Some(denial) = &outcome.denial {
                let (message, advice) = denied(denial, sandbox, asked);
                terminal::complain(&message, Some(&advice));
            }
        }
        Status::Limited => {
            let (mut message, advice) = limited(sandbox, outcome);
            // For a limit on the program itself rather than its run, this says which one and how
            // much.
            if let Some(why) = &outcome.crash {
                message = format!("{message}: {why}");
            }
            terminal::complain(&message, advice.as_deref());
        }
    }
}

/// Formats a denial, and what would help: the lines of a policy that would allow it, if any would.
fn denied(denial: &Denial, sandbox: &Sandbox, asked: &Asked) -> (String, String) {
    let message = format!(
        "denied by `{}`: {}: {}",
        denial.rule, denial.asked, denial.reason
    );
    let advice = asked.advice(denial, sandbox.policy(), &sandbox.facts());
    (message, advice.unwrap_or_else(|| fix(&denial.fix, sandbox)))
}

/// Returns the lines that would allow something; a whole file where the built-in policy is in
/// force.
fn fix(lines: &str, sandbox: &Sandbox) -> String {
    if let Some(comment) = lines.strip_prefix('#') {
        return comment.trim().to_owned();
    }
    if sandbox.policy() == &glovebox::Policy::builtin() {
        return format!(
            "to allow it, run with `--policy FILE` and this file:\n{}",
            indent(&policy_file(lines))
        );
    }
    format!("to allow it, write in the policy:\n{}", indent(lines))
}

fn indent(text: &str) -> String {
    text.lines()
        .map(|line| format!("  {line}").trim_end().to_owned())
        .collect::<Vec<_>>()
        .join("\n")
}

/// Reports which limit was hit, how large it was, who set it, and how to raise it.
fn limited(sandbox: &Sandbox, outcome: &Outcome) -> (String, Option<String>) {
    let Some(LimitHit {
        limit,
        granted,
        source,
    }) = outcome.limit
    else {
        return ("a limit ended the run".to_owned(), None);
    };
    let (policy, profile) = (sandbox.policy(), &outcome.policy.profile);
    let amount = granted
        .map(|granted| format!(", {granted}"))
        .unwrap_or_default();
    let advice = match source {
        LimitSource::BuiltIn => Some("this limit is fixed".to_owned()),
        // A request of the command line has limits by the options of their names.
        LimitSource::Request => policy
            .granted_limit(profile, limit)
            .map(|most| format!("`--{limit}` asked for that; the policy grants up to {most}")),
        LimitSource::Profile => granted
            .and_then(|granted| policy.limit_fix(profile, limit, granted.doubled()))
            .map(|lines| format!("the policy grants no more; {}", fix(&lines, sandbox))),
    };
    let message = format!(
        "a limit ended the run: {} (`{limit}`){amount}",
        limit.title()
    );
    (message, advice)
}

/// Reports which globs matched no file.
pub(super) fn report_missing(rules: &ArtifactRules, outcome: &Outcome) {
    for glob in rules.unmatched(&outcome.artifacts) {
        terminal::note(&format!(
            "glovebox: no file in the workspace matches `{}`",
            name(glob)
        ));
    }
    if outcome.artifacts_truncated {
        terminal::note(
            "glovebox: there were more artifacts, or larger ones, than the policy grants; the rest was left behind",
        );
    }
}

/// Reports where the results are, or what would save them.
pub(super) fn report_results(
    saved: Option<&[SavedResult]>,
    results: &Results,
    drawing: Option<Drawing>,
) {
    match saved {
        Some(saved) => {
            for path in saved.iter().flatten() {
                terminal::note(&format!(
                    "glovebox: result saved to `{}`",
                    name(&path.display().to_string())
                ));
            }
        }
        None => {
            if let Some(note) = unseen(results, drawing) {
                terminal::note(&note);
            }
        }
    }
    if results.truncated {
        terminal::note(
            "glovebox: there were more results, or larger ones, than the policy grants (`limits.results`)",
        );
    }
}

/// Reports which artifacts and results could not be saved.
pub(super) fn report_saved(saved: &[Saved<'_>], results: &[SavedResult]) {
    for reason in results.iter().filter_map(|saved| saved.as_ref().err()) {
        terminal::complain(&format!("cannot save a result: {reason}"), None);
    }
    for saved in saved {
        if let Err(reason) = &saved.result {
            terminal::complain(
                &format!(
                    "cannot save the artifact `{}`: {reason}",
                    name(&saved.artifact.path)
                ),
                None,
            );
        }
    }
}
