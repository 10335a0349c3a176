//! Checks of a language: does a program run in it, and write what it should?

use super::diagnosis::LanguageDiagnosis;
use glovebox::{Outcome, Request, Sandbox, Status};
use glovebox_wire::error::chain;
use std::time::Duration;

/// Time that a program that only writes a line may take before its language counts as broken.
const DEADLINE: Duration = Duration::from_secs(10);

/// The output of the program that checks a language.
const EXPECTED: &[u8] = b"42\n";

/// Runs a program in a language.
pub(crate) async fn attempt(sandbox: &Sandbox, language: &str, program: &str) -> LanguageDiagnosis {
    attempt_request(sandbox, language, Request::new(language, program)).await
}

/// Runs a request that checks a language.
pub(crate) async fn attempt_request(
    sandbox: &Sandbox,
    language: &str,
    request: Request,
) -> LanguageDiagnosis {
    let problem = match tokio::time::timeout(DEADLINE, sandbox.run(request)).await {
        Ok(Ok(outcome))
            if outcome.status == Status::Succeeded && outcome.stdout.bytes == EXPECTED =>
        {
            return LanguageDiagnosis::works(language, outcome.usage.wall);
        }
        Ok(Ok(outcome)) => unexpected(&outcome),
        Ok(Err(error)) => chain(&error),
        Err(_) => format!("it did not answer within {} s", DEADLINE.as_secs()),
    };
    LanguageDiagnosis {
        language: language.to_owned(),
        works: false,
        run_ms: None,
        problem: Some(problem),
    }
}

fn unexpected(outcome: &Outcome) -> String {
    let why = [
        outcome.crash.clone(),
        outcome
            .reached_limit()
            .map(|limit| format!("limit `{}`", limit.name())),
        outcome.denial.as_ref().map(|denial| denial.reason.clone()),
        outcome
            .exception
            .as_ref()
            .map(|exception| format!("{}: {}", exception.kind, exception.message)),
    ];
    let why = why
        .into_iter()
        .flatten()
        .next()
        .unwrap_or_else(|| format!("it wrote `{}`", outcome.stdout.text().escape_debug()));
    format!("the run ended as `{}`: {why}", outcome.status.name())
}
