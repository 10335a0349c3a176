//! Memory accounting of outcomes: how much memory do output and artifacts take until they are
//! stored?
//!
//! They have left the guest by then, and with it the memory that was accounted for the guest.

use super::active::ActiveExecution;
use super::execution_core::ExecutionCore;
use crate::memory::MemoryCharge;
use crate::quotas::SMALL_OUTPUT;
use glovebox::{MimeBundle, Outcome};

/// Bytes up to which no memory is charged.
const SMALL: usize = 64 << 10;

/// Copies of output in memory: as it was written, and up to twice that as JSON.
const COPIES: usize = 3;

/// Charges the memory of an outcome. If there is not enough, its files are dropped, and if need be
/// all but the beginning of its output; the outcome says so.
pub(super) fn fit(
    core: &ExecutionCore,
    active: &ActiveExecution,
    outcome: &mut Outcome,
) -> MemoryCharge {
    let files: usize = outcome
        .artifacts
        .iter()
        .map(|file| file.content.len())
        .sum();
    let said = said(outcome).saturating_mul(COPIES);
    if files.saturating_add(said) <= SMALL {
        return MemoryCharge::default();
    }
    if let Ok(charge) = core
        .memory
        .take(&active.subject, files.saturating_add(said))
    {
        return charge;
    }
    outcome.artifacts_truncated |= !outcome.artifacts.is_empty();
    outcome.artifacts = Vec::new();
    if let Ok(charge) = core.memory.take(&active.subject, said) {
        return charge;
    }
    shorten(outcome);
    MemoryCharge::default()
}

/// Returns the bytes of a program's output.
fn said(outcome: &Outcome) -> usize {
    let value = outcome.value.as_ref().map_or(0, |value| {
        value.text.len() + value.json.as_ref().map_or(0, String::len)
    });
    let exception = outcome.exception.as_ref().map_or(0, |exception| {
        exception.message.len() + exception.traceback.len()
    });
    let results: usize = outcome.results.bundles.iter().map(MimeBundle::bytes).sum();
    outcome.stdout.bytes.len() + outcome.stderr.bytes.len() + value + exception + results
}

/// Truncates a program's output to its beginning.
pub(super) fn shorten(outcome: &mut Outcome) {
    for output in [&mut outcome.stdout, &mut outcome.stderr] {
        output.truncated |= output.bytes.len() > SMALL_OUTPUT;
        output.bytes.truncate(SMALL_OUTPUT);
        output.bytes.shrink_to_fit();
    }
    outcome.value = None;
    outcome.results.truncated |= !outcome.results.bundles.is_empty();
    outcome.results.bundles = Vec::new();
    if let Some(exception) = &mut outcome.exception {
        cut(&mut exception.message);
        cut(&mut exception.traceback);
    }
    if let Some(crash) = &mut outcome.crash {
        cut(crash);
    }
}

/// Truncates a text to what is kept if there is no room for more.
fn cut(text: &mut String) {
    text.truncate(text.floor_char_boundary(SMALL_OUTPUT));
}
