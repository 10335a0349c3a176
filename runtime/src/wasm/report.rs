//! Reports of the wasm tier: what became of a run, from the engine's answer to its usage?

use crate::account::RunMemory;
use crate::contract::exports::glovebox::guest::interpreter::Completion;
use crate::executor::Report;
use crate::outcome::{Exception, Status, Usage, Value};
use crate::state::RunState;
use crate::stdio::{LimitReached, Outputs};
use glovebox_policy::Limit;
use wasmtime::Trap;

/// Returns the report of a run that the memory account refused.
pub(super) fn refused(memory: &RunMemory) -> Option<Report> {
    memory.take_refusal().map(|why| Report {
        crash: Some(why),
        ..Report::limited(Limit::Memory)
    })
}

/// Fills in the parts of the report that every run has.
pub(super) fn finish(report: &mut Report, state: &mut RunState, outputs: &Outputs, fuel: u64) {
    let refused = state
        .limiter
        .take_hit()
        .or_else(|| state.files.quota_hit())
        .or_else(|| state.calls.take_exceeded().then_some(Limit::HostCalls));
    // A program may handle a refusal. If it failed nevertheless, the refusal is why.
    if let Some(limit) = refused
        && matches!(report.status, Status::Failed | Status::Crashed)
    {
        report.status = Status::Limited;
        report.limit = Some(limit);
        report.crash = None;
    }
    // The memory account may also refuse what the run's own limits allow.
    if let Some(why) = state.memory.take_refusal()
        && matches!(
            report.status,
            Status::Failed | Status::Crashed | Status::Limited
        )
        && report
            .limit
            .is_none_or(|limit| matches!(limit, Limit::Memory | Limit::Workspace))
    {
        report.status = Status::Limited;
        report.limit = Some(Limit::Memory);
        report.crash = Some(why);
    }
    let written = outputs.take();
    let files = state.files.usage();
    report.stdout = written.stdout;
    report.stderr = written.stderr;
    report.results = written.results;
    report.usage = Usage {
        fuel,
        peak_memory: state.limiter.peak_memory(),
        output: written.bytes,
        workspace: files.peak_bytes,
        files: files.peak_files,
        host_calls: state.calls.made(),
        ..Usage::default()
    };
}

/// Maps the completion of a program to a report.
pub(super) fn completed(completion: Completion, max_value: u64) -> Report {
    match completion {
        Completion::Finished(value) => Report {
            exit_code: Some(0),
            value: value.and_then(|value| {
                let fits = |text: &str| text.len() as u64 <= max_value;
                let json = value.json.filter(|json| fits(json));
                fits(&value.text).then_some(Value {
                    json,
                    text: value.text,
                })
            }),
            ..Report::new(Status::Succeeded)
        },
        Completion::Raised(raised) => Report {
            exit_code: Some(1),
            exception: Some(Exception {
                kind: raised.kind,
                message: raised.message,
                traceback: raised.traceback,
            }),
            ..Report::new(Status::Failed)
        },
        Completion::Exited(code) => exited(code),
    }
}

fn exited(code: i32) -> Report {
    let code = code & 0xff;
    Report {
        exit_code: Some(code),
        ..Report::new(if code == 0 {
            Status::Succeeded
        } else {
            Status::Failed
        })
    }
}

/// Maps an error of the engine to a report.
pub(super) fn trapped(error: &wasmtime::Error) -> Report {
    if let Some(LimitReached(limit)) = error.downcast_ref() {
        return Report::limited(*limit);
    }
    if let Some(exit) = error.downcast_ref::<wasmtime_wasi::I32Exit>() {
        return exited(exit.0);
    }
    match error.downcast_ref::<Trap>() {
        Some(Trap::OutOfFuel | Trap::Interrupt) => Report::limited(Limit::Fuel),
        Some(Trap::StackOverflow) => Report::limited(Limit::Stack),
        Some(trap) => Report {
            crash: Some(trap.to_string()),
            ..Report::new(Status::Crashed)
        },
        // The engine has no type for this error.
        None if error
            .root_cause()
            .to_string()
            .contains("fuel allocated for hostcalls") =>
        {
            Report::limited(Limit::HostAllocation)
        }
        None => Report {
            crash: Some(error.root_cause().to_string()),
            ..Report::new(Status::Crashed)
        },
    }
}
