//! Reply of a container: which report does the trailer of a program make?

use crate::collector::{Collector, Trailer};
use crate::container::MountSource;
use crate::egress::EgressSocket;
use crate::pool::Usage;
use crate::protocol::CODE_MOUNT;
use glovebox::{Error, Exception, Limit, MAX_RESULTS, MimeBundle, Report, Results, Status, Value};
use glovebox_policy::{Grant, Limits};
use serde::Deserialize;
use serde_json::value::RawValue;

/// The exit code of a process that was killed by `SIGKILL`.
const EXIT_SIGKILL: i32 = 128 + 9;

/// The exit code of a process that exceeded its CPU time (`SIGXCPU`).
const EXIT_SIGXCPU: i32 = 128 + 24;

/// Returns the error of a container whose mount is not the directory that was checked, by the code
/// of its trailer.
pub(crate) fn changed_mount(code: i32, grant: &Grant, sources: &[MountSource]) -> Option<Error> {
    let index = usize::try_from(code.checked_sub(CODE_MOUNT)?).ok()?;
    let granted = grant.mounts().iter().zip(sources);
    let mut checked = granted.filter(|(_, source)| source.checked.is_some());
    let (mount, _) = checked.nth(index)?;
    tracing::warn!(
        host = mount.host,
        "a granted directory was replaced while it was mounted"
    );
    Some(Error::Mount {
        guest: mount.guest.clone(),
        reason: "another directory took its place before the engine mounted it".to_owned(),
    })
}

/// Builds the report of a run whose container gets no memory from the account.
pub(crate) fn no_memory(reason: String) -> Report {
    Report {
        crash: Some(reason),
        ..Report::limited(Limit::Memory)
    }
}

/// Builds the report of a run with a trailer. A program may survive a refused allocation or fork;
/// if it failed, the refusal is the cause.
pub(crate) fn finished(trailer: Trailer, limits: &Limits) -> Report {
    // The kernel accounts a process in clock ticks and a cgroup exactly, so the two differ.
    let cpu_is_up = trailer.cpu_micros >= limits.fuel / 1000 / 4 * 3;
    let limit = match trailer.code {
        0 => None,
        _ if trailer.killed_for_memory > 0 => Some(Limit::Memory),
        EXIT_SIGXCPU | EXIT_SIGKILL if cpu_is_up => Some(Limit::Fuel),
        _ if trailer.refused_processes > 0 => Some(Limit::Processes),
        _ if trailer.free_files == 0 => Some(Limit::Files),
        _ if trailer.free_blocks == 0 => Some(Limit::Workspace),
        _ => None,
    };
    if let Some(limit) = limit {
        return Report::limited(limit);
    }
    let status = if trailer.code == 0 {
        Status::Succeeded
    } else {
        Status::Failed
    };
    Report {
        exit_code: Some(trailer.code),
        ..Report::new(status)
    }
}

/// The report of a driver: lines of JSON, each of which is written when it is known. So a program
/// that ends at once, as by `os._exit`, leaves its results.
#[derive(Default, Deserialize)]
struct Completion<'a> {
    value: Option<CompletionValue>,
    exception: Option<CompletionException>,
    #[serde(borrow)]
    result: Option<&'a RawValue>,
    /// A result did not fit.
    #[serde(default)]
    truncated: bool,
}

/// The value of the last expression.
#[derive(Deserialize)]
struct CompletionValue {
    json: Option<String>,
    text: String,
}

/// The uncaught exception.
#[derive(Deserialize)]
struct CompletionException {
    kind: String,
    message: String,
    traceback: String,
}

/// Adds the results that the driver reported, and the value or exception of a program that ran to
/// its end.
pub(crate) fn complete(report: &mut Report, reply: &[u8], limits: &Limits) {
    let lines = serde_json::Deserializer::from_slice(reply).into_iter::<Completion<'_>>();
    let (mut ended, mut shown, mut is_truncated) = (Completion::default(), Vec::new(), false);
    // The last line may be a part of one.
    for line in lines.map_while(Result::ok) {
        // One more says that some are missing.
        shown.extend(line.result.filter(|_| shown.len() <= MAX_RESULTS));
        is_truncated |= line.truncated;
        if line.value.is_some() || line.exception.is_some() {
            ended = line;
        }
    }
    let fits = |text: &str| text.len() as u64 <= limits.value;
    report.results = results(&shown, limits.results);
    report.results.truncated |= is_truncated;
    match report.status {
        Status::Succeeded => {
            let value = ended.value.filter(|value| fits(&value.text));
            report.value = value.map(|value| Value {
                json: value.json.filter(|json| fits(json)),
                text: value.text,
            });
        }
        Status::Failed => {
            let exception = ended.exception;
            report.exception = exception.map(|exception| Exception {
                kind: exception.kind,
                message: exception.message,
                traceback: exception.traceback,
            });
        }
        _ => {}
    }
}

/// Parses results, as many as fit.
fn results(reported: &[&RawValue], limit: u64) -> Results {
    let mut results = Results::default();
    let mut bytes = 0_u64;
    for json in reported {
        // The driver has checked it; what a program forges is its own loss.
        let bundle = MimeBundle::parse(json.get()).ok();
        bytes = bytes.saturating_add(bundle.as_ref().map_or(0, MimeBundle::bytes) as u64);
        if bytes > limit || results.bundles.len() == MAX_RESULTS {
            results.truncated = true;
            break;
        }
        results.bundles.extend(bundle);
    }
    results
}

/// Makes a run that failed after its host calls were refused one that their limit ended: a program
/// may handle a refusal, and if it failed, the refusal is the cause.
pub(crate) fn refuse_calls(report: &mut Report, egress: Option<&EgressSocket>) {
    if report.status == Status::Failed && egress.is_some_and(EgressSocket::is_exceeded) {
        report.status = Status::Limited;
        report.limit = Some(Limit::HostCalls);
    }
}

/// Fills in the output and what it took.
pub(crate) fn fill(report: &mut Report, collector: &mut Collector, usage: Usage) {
    report.stdout = std::mem::take(&mut collector.stdout);
    report.stderr = std::mem::take(&mut collector.stderr);
    report.usage.output = collector.written;
    report.usage.cpu = usage.cpu;
    report.usage.peak_memory = usage.peak_memory;
}
