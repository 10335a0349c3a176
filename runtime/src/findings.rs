//! Static inspection of programs: which findings does the source have before it runs?
//!
//! The source is parsed inside a guest, like all untrusted input. On the host there is only a word
//! search without whose match there can be no finding: most programs have none, and cost nothing
//! more.

use crate::allowance::Allowance;
use crate::audit::RunAudit;
use crate::error::{Error, InternalError};
use crate::executor::{Evaluation, Executor, Hold, Report, Run, RunSetup};
use crate::host::calls::{HostCalls, HostServices};
use crate::outcome::{RunId, Status, Usage};
use crate::stdio::Input;
use aho_corasick::AhoCorasick;
use glovebox_policy::{
    Ecosystem, Facts, Finding, Grant, Language, LimitWishes, Policy, Request, Severity, Verdict,
};
use std::sync::{Arc, LazyLock};
use std::time::Duration;

/// A program of ours that parses a source.
#[derive(Clone, Copy)]
struct Inspector {
    language: &'static str,
    script: &'static str,
}

/// The inspector of Python, a module of the guest's library, where its bytecode is.
const PYTHON: Inspector = Inspector {
    language: "python",
    script: "import _glovebox_findings\n_glovebox_findings.main()\n",
};

/// The inspector of JavaScript and TypeScript.
const JAVASCRIPT: Inspector = Inspector {
    language: "javascript",
    script: include_str!("findings/javascript.js"),
};

/// Words of which every program with a finding contains one.
const WORDS: &str = include_str!("findings/words.txt");

/// Every rule, with its severity and meaning.
const RULES: &str = include_str!("findings/rules.txt");

/// The largest program in bytes that is inspected.
const MAX_INSPECTED_BYTES: usize = 4 << 20;

/// Findings of one program; more are redundant.
const MAX_FINDINGS: usize = 100;

/// The time limit of an inspection in [`POLICY`].
const MAX_WALL: Duration = Duration::from_secs(60);
const MAX_FUEL: u64 = 8_000_000_000;
const MAX_MEMORY: u64 = 512 << 20;

/// The limits of an inspection, whatever the request's own limits leave. It sees the source only.
const POLICY: &str = "version = 1\ndefault_profile = \"look\"\n[profiles.look]\nextends = \"offline\"\ntiers = [\"wasm\"]\nseed = 0\n\
    [profiles.look.findings]\nlow = \"ignore\"\nmedium = \"ignore\"\nhigh = \"ignore\"\n\
    [profiles.look.limits]\nwall = \"60s\"\nfuel = 8_000_000_000\nmemory = \"512MiB\"\noutput = \"64KiB\"\nconcurrency = 64\n";

/// Finds any word of a language in one pass (Aho-Corasick).
static PYTHON_WORDS: LazyLock<Option<AhoCorasick>> =
    LazyLock::new(|| AhoCorasick::new(words("python")).ok());
static JAVASCRIPT_WORDS: LazyLock<Option<AhoCorasick>> =
    LazyLock::new(|| AhoCorasick::new(words("javascript")).ok());

static LOOK: LazyLock<Option<Policy>> = LazyLock::new(|| Policy::parse("look", POLICY).ok());

/// Inspects a granted request, its packages included. Without an executor of guests the source is
/// not inspected, which is a finding: no program is parsed on the host.
///
/// # Errors
///
/// If the host failed.
pub(crate) async fn inspect(
    executor: Option<&dyn Executor>,
    request: &Request,
    grant: &Grant,
    allowance: &Allowance,
) -> Result<Vec<Finding>, Error> {
    let mut findings = grant.package_findings();
    if let Some(inspector) = Some(request)
        .filter(|_| grant.wants_findings())
        .and_then(worth_a_look)
    {
        match executor {
            // Boxed, so that the future of every run, which is moved a few times, is not as large
            // as this one.
            Some(executor) => {
                findings.extend(Box::pin(parse(executor, request, inspector, allowance)).await?);
            }
            None => findings.push(unread(
                "the sandbox has no `wasm` tier, which inspects programs",
            )),
        }
    }
    Ok(findings)
}

/// Returns the inspector for a request's source, if it contains any word that a finding begins
/// with.
fn worth_a_look(request: &Request) -> Option<Inspector> {
    let (inspector, words) = match Language::ecosystem_of(&request.language)? {
        Ecosystem::Python => (PYTHON, &PYTHON_WORDS),
        Ecosystem::JavaScript => (JAVASCRIPT, &JAVASCRIPT_WORDS),
    };
    // If the search could not be built, every program is inspected.
    words
        .as_ref()
        .is_none_or(|words| words.is_match(request.source.content.as_ref()))
        .then_some(inspector)
}

async fn parse(
    executor: &dyn Executor,
    request: &Request,
    inspector: Inspector,
    allowance: &Allowance,
) -> Result<Vec<Finding>, Error> {
    if request.source.content.len() > MAX_INSPECTED_BYTES {
        return Ok(vec![unread(TOO_MUCH)]);
    }
    let report = match allowance.look().await {
        Some(mut look) => {
            let limits = look.limits(MAX_WALL, MAX_FUEL, MAX_MEMORY);
            let report = executor
                .run(job(executor, request, inspector, limits, allowance)?)
                .await?;
            look.used(&report.usage);
            report
        }
        None => Report::new(Status::Cancelled),
    };
    if allowance.stop().is_cancelled() {
        // No program of the request runs, so it needs no facts.
        return Ok(Vec::new());
    }
    let said = report.stdout.text();
    let found = said
        .lines()
        .last()
        .and_then(|line| serde_json::from_str::<Vec<(String, u32)>>(line).ok());
    match found {
        Some(found) if report.status == Status::Succeeded => Ok(found
            .into_iter()
            .take(MAX_FINDINGS)
            .map(|(rule, line)| finding(&rule, Some(line)).unwrap_or_else(|| unread(TOO_MUCH)))
            .collect()),
        // A source that crashes the inspection is not one without findings.
        _ => Ok(vec![unread(TOO_MUCH)]),
    }
}

/// A run of our own inspector over an untrusted source.
fn job(
    executor: &dyn Executor,
    request: &Request,
    inspector: Inspector,
    limits: LimitWishes,
    allowance: &Allowance,
) -> Result<Run, Error> {
    let mut ours = Request::new(inspector.language, inspector.script);
    ours.subject = request.subject.clone();
    ours.arguments.push(request.source.name.clone());
    ours.wants.limits = limits;
    let policy = LOOK.as_ref().ok_or(InternalError::InspectionPolicy)?;
    let grant = match policy.admit(&ours, &Facts::wasm(executor.facts().languages)) {
        Verdict::Admit(grant) => Arc::from(grant),
        Verdict::Deny(denial) => {
            return Err(InternalError::Inspection(Box::new(denial)).into());
        }
    };
    let memory = allowance.run_memory();
    Ok(Run {
        // An inspection is no run of the subject, so it has an id of its own.
        setup: RunSetup {
            id: RunId::random(),
            calls: Arc::new(HostCalls::new(
                Arc::clone(&grant),
                HostServices::none(),
                RunAudit::new(None, RunId::random(), &ours).calls(),
                memory.clone(),
            )),
            grant,
            files: Vec::new(),
            packages: None,
            slot: Hold::new(None),
            memory,
        },
        evaluation: Evaluation {
            source: ours.source,
            arguments: ours.arguments,
            input: Input::Bytes(request.source.content.to_vec().into()),
            output: None,
            artifacts: Vec::new(),
            stop: allowance.stop().clone(),
            inspected: Usage::default(),
        },
    })
}

/// The reason why a source is not inspected whole.
const TOO_MUCH: &str = "the source took too long to inspect, or is too large";

/// The finding for a source that was not inspected whole.
fn unread(why: &str) -> Finding {
    Finding {
        rule: "not-inspected".to_owned(),
        line: None,
        severity: Severity::Medium,
        message: why.to_owned(),
    }
}

/// Returns a finding by one of our rules: a compromised guest may name anything.
fn finding(rule: &str, line: Option<u32>) -> Option<Finding> {
    let known = RULES
        .lines()
        .filter(|line| !line.starts_with('#'))
        .find_map(|line| {
            let (severity, message) = line
                .strip_prefix(rule)?
                .strip_prefix(' ')?
                .split_once(' ')?;
            Some((Severity::from_name(severity)?, message.to_owned()))
        });
    known.map(|(severity, message)| Finding {
        rule: rule.to_owned(),
        line,
        severity,
        message,
    })
}

fn words(language: &str) -> impl Iterator<Item = &'static str> {
    WORDS
        .lines()
        .filter_map(move |line| line.strip_prefix(language)?.strip_prefix(' '))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rule_has_a_severity_and_a_meaning() {
        assert!(LOOK.is_some());
        for line in RULES
            .lines()
            .filter(|line| !line.starts_with('#') && !line.is_empty())
        {
            let mut parts = line.splitn(3, ' ');
            let (rule, severity, message) = (
                parts.next().unwrap(),
                parts.next().unwrap(),
                parts.next().unwrap(),
            );
            assert!(
                Severity::from_name(severity).is_some() && !message.is_empty(),
                "{line}"
            );
            let found = finding(rule, Some(3)).unwrap();
            assert_eq!(
                (found.severity.name(), found.message.as_str()),
                (severity, message)
            );
        }
        for language in ["python", "javascript"] {
            assert!(words(language).count() > 5 && words(language).all(|word| word.len() > 1));
            assert!(PYTHON_WORDS.is_some() && JAVASCRIPT_WORDS.is_some());
        }
    }
}
