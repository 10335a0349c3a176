//! Report of a run: what does a user need to know besides its output?
//!
//! Nothing if the program ended by itself: its exit code and its output say all. Otherwise what ended it, and what would change that.

use super::artifacts::{ArtifactRules, Saved};
use crate::policy::policy_file;
use crate::terminal::{self, name};
use glovebox::{Limit, Outcome, Request, Sandbox, Status};
use glovebox_policy::limits::Amount;
use glovebox_policy::{Denial, Grant, Tier, Verdict};

/// The name of a limit, its key in a policy, and its option of the command line.
struct Words {
    title: &'static str,
    key: Option<&'static str>,
    option: Option<&'static str>,
}

fn words(limit: Limit) -> Words {
    let (title, key, option) = match limit {
        Limit::Cpu => ("computation", Some("fuel"), Some("--fuel")),
        Limit::Wall => ("time on the clock", Some("wall"), Some("--wall")),
        Limit::Memory => ("memory", Some("memory"), Some("--memory")),
        Limit::Output => ("output", Some("output"), None),
        Limit::Disk => ("bytes in the workspace", Some("workspace"), None),
        Limit::Files => ("files in the workspace", Some("files"), None),
        Limit::OpenFiles => ("files open at once", Some("open_files"), None),
        Limit::Stack => ("the call stack", Some("stack"), None),
        Limit::HostCalls => ("calls of tools and the network", Some("host_calls"), None),
        Limit::Processes => ("processes", Some("processes"), None),
        Limit::Table => ("elements of tables", None, None),
        Limit::HostAllocation => ("memory of the host", None, None),
        Limit::Compile => ("the work to compile the program", None, None),
        other => (other.name(), None, None),
    };
    Words { title, key, option }
}

/// Prints to standard error how the run ended, unless its output says it.
pub(super) fn report(sandbox: &Sandbox, request: &Request, outcome: &Outcome) {
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
                let (message, advice) = denied(denial, sandbox);
                terminal::complain(&message, Some(&advice));
            }
        }
        Status::Limited => {
            let (mut message, advice) = limited(sandbox, request, outcome.limit);
            // For a limit on the program itself rather than its run, this says which one and how much.
            if let Some(why) = &outcome.crash {
                message = format!("{message}: {why}");
            }
            terminal::complain(&message, advice.as_deref());
        }
    }
}

/// Formats a denial, and the lines of a policy that would allow it.
fn denied(denial: &Denial, sandbox: &Sandbox) -> (String, String) {
    let message = format!(
        "denied by `{}`: {}: {}",
        denial.rule, denial.asked, denial.reason
    );
    (message, fix(&denial.fix, sandbox))
}

/// Returns the lines that would allow something; a whole file where the built-in policy is in force.
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

/// Reports which limit was hit, its value, who set it, and how to raise it.
fn limited(sandbox: &Sandbox, request: &Request, limit: Option<Limit>) -> (String, Option<String>) {
    let Some(limit) = limit else {
        return ("a limit ended the run".to_owned(), None);
    };
    let Words { title, key, option } = words(limit);
    let message = format!("a limit ended the run: {title} (`{}`)", limit.name());
    let Some(key) = key else {
        return (message, Some("this limit is fixed".to_owned()));
    };
    let (Some(granted), Some(most)) = (
        amount(sandbox, request, key),
        amount(sandbox, &without_wishes(request), key),
    ) else {
        return (message, None);
    };
    let message = format!("{message}, {granted}");
    if granted < most
        && let Some(option) = option
    {
        return (
            message,
            Some(format!(
                "`{option}` asked for that; the policy grants up to {most}"
            )),
        );
    }
    let mut larger = without_wishes(request);
    larger.wants.limits.set(key, twice(most));
    match sandbox.policy().admit(&larger, &sandbox.facts()) {
        Verdict::Deny(denial) => (
            message,
            Some(format!(
                "the policy grants no more; {}",
                fix(&denial.fix, sandbox)
            )),
        ),
        Verdict::Admit(_) => (message, None),
    }
}

fn without_wishes(request: &Request) -> Request {
    let mut request = request.clone();
    request.wants.limits = Default::default();
    request
}

fn amount(sandbox: &Sandbox, request: &Request, key: &str) -> Option<Amount> {
    let grant: Grant = sandbox
        .policy()
        .admit(request, &sandbox.facts())
        .into_result()
        .ok()?;
    grant
        .limits()
        .entries()
        .find(|(name, _)| *name == key)
        .map(|(_, amount)| amount)
}

fn twice(amount: Amount) -> Amount {
    match amount {
        Amount::Time(time) => Amount::Time(time.saturating_mul(2)),
        Amount::Bytes(bytes) => Amount::Bytes(bytes.saturating_mul(2)),
        Amount::Count(number) => Amount::Count(number.saturating_mul(2)),
    }
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

/// Reports which artifacts could not be saved.
pub(super) fn report_saved(saved: &[Saved<'_>]) {
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
