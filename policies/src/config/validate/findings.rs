//! Findings of a profile: which action does it take on each severity?

use super::lists::unknown_name;
use crate::config::schema::RawFindings;
use crate::findings::{Action, FindingRules, Severity};
use crate::problem::Problems;

pub(super) fn validate_findings(
    rules: &mut FindingRules,
    raw: &RawFindings,
    problems: &mut Problems<'_>,
) {
    for (severity, action) in [
        (Severity::Low, &raw.low),
        (Severity::Medium, &raw.medium),
        (Severity::High, &raw.high),
    ] {
        let Some(written) = action else { continue };
        match Action::ALL
            .into_iter()
            .find(|action| action.name() == written.get())
        {
            Some(action) => rules.set(severity, action),
            None => unknown_name(written, "measure", &Action::ALL.map(Action::name), problems),
        }
    }
}
