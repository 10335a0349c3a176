//! Out-of-process compiler: how does untrusted WebAssembly become machine code without harm to this
//! process?
//!
//! It runs as `glovebox compile-module`, which jails itself ([`jail`]), reads the module and
//! answers with machine code ([`child`], in the form of [`protocol`]). A parser or compiler that
//! overflows its stack, runs out of memory or never ends is killed, and ends one run. The number of
//! such processes is limited, and slots go round-robin between the subjects.

mod child;
pub(crate) mod exit;
mod jail;
mod measure;
mod protocol;

pub use child::compile_module;
pub(crate) use protocol::Refusal;

use crate::account::{MemoryHold, RunMemory};
use crate::engine::Metering;
use crate::error::{CompilerError, Error};
use crate::round_robin::{FairSlots, Slot};
use glovebox_host::program::Program;
use glovebox_policy::Subject;
use protocol::{AnswerHeader, Task};
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::{Child, ChildStdin, ChildStdout};
use tokio_util::sync::CancellationToken;

/// The hidden subcommand.
const SUBCOMMAND: &str = "compile-module";

/// The least number of concurrent compilations; one for each processor if there are more.
const MIN_COMPILING: usize = 2;

/// Memory for compiling: what the run is granted, clamped to this range. Even a small program needs
/// the compiler's own tables.
const MEMORY_BYTES: std::ops::RangeInclusive<u64> = (256 << 20)..=(1 << 30);

/// Seconds of CPU time for compiling, if the run's `wall` is longer.
const MAX_CPU_SECONDS: u64 = 60;

/// Bytes of machine code of any program; protects this process.
const MAX_ANSWER_BYTES: u64 = 256 << 20;

/// Bytes of machine code that a run may have whatever its memory. It stays in this process until
/// the run ends.
const MIN_CODE_BYTES: u64 = 64 << 20;

/// Copies of the machine code that are in memory while it is loaded.
const COPIES: u64 = 2;

/// Time between a compiler's last output and its exit.
const LAST_MOMENT: Duration = Duration::from_secs(1);

/// Bytes of a compiler's standard error that are read.
const MAX_COMPLAINT_BYTES: u64 = 4 << 10;

/// The arena size of the compiler's allocator in KiB, rather than a gigabyte at once.
const ARENA: (&str, &str) = ("MIMALLOC_ARENA_RESERVE", "32768");

/// Starts compiler processes, with limited concurrency.
#[derive(Debug)]
pub(crate) struct Compiler {
    program: PathBuf,
    slots: FairSlots,
    gaps_are_logged: AtomicBool,
}

/// Machine code, and its charge to the memory account: once as received, and once as loaded.
#[derive(Debug)]
pub(crate) struct Code {
    pub(crate) bytes: Vec<u8>,
    pub(crate) held: MemoryHold,
}

/// The result of a compilation.
#[derive(Debug)]
pub(crate) enum Compiled {
    Code(Code),
    Refused(Refusal),
    /// The memory account had no room for the compiler or its result; the reason.
    NoMemory(String),
    /// A limit ended the compiler; its name.
    Limited(String),
    /// The compiler crashed.
    Broke(String),
    Stopped,
}

/// A program to compile, and what its compilation may use.
pub(crate) struct Compilation<'a> {
    pub(crate) program: Arc<[u8]>,
    pub(crate) metering: Metering,
    pub(crate) bounds: Bounds,
    pub(crate) memory: &'a RunMemory,
    pub(crate) stop: &'a CancellationToken,
}

/// The limits of one compilation.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    pub(crate) wall: Duration,
    pub(crate) memory: u64,
    pub(crate) stack: u64,
}

impl Compiler {
    pub(crate) fn new(program: PathBuf) -> Self {
        let slots = std::thread::available_parallelism()
            .map_or(MIN_COMPILING, usize::from)
            .max(MIN_COMPILING);
        Self {
            program,
            slots: FairSlots::new(slots),
            gaps_are_logged: AtomicBool::new(false),
        }
    }

    /// Acquires a compilation slot, round-robin between subjects.
    pub(crate) async fn slot(&self, subject: &Subject) -> Slot {
        self.slots.acquire(subject).await
    }

    /// Compiles a program; also returns the CPU time. No process is left when this returns.
    /// Dropping the future kills the process, and the slot is released when it has exited.
    pub(crate) async fn compile(
        &self,
        slot: Slot,
        compilation: Compilation<'_>,
    ) -> Result<(Compiled, Duration), Error> {
        let Compilation {
            program,
            metering,
            bounds,
            memory,
            stop,
        } = compilation;
        // The compiler's own memory, until its process has exited. Most programs do with the least.
        let mut working = memory.hold();
        let (least, wanted) = (
            *MEMORY_BYTES.start(),
            bounds
                .memory
                .clamp(*MEMORY_BYTES.start(), *MEMORY_BYTES.end()),
        );
        let granted = match working
            .grow(wanted)
            .map(|()| wanted)
            .or_else(|_| working.grow(least).map(|()| least))
        {
            Ok(granted) => granted,
            Err(why) => return Ok((Compiled::NoMemory(why), Duration::ZERO)),
        };
        let task = Task {
            metering,
            stack: bounds.stack,
            memory: granted,
            cpu_seconds: bounds.wall.as_secs().saturating_add(1).min(MAX_CPU_SECONDS),
            parent: std::process::id(),
        };
        let child = self.start(task)?;
        // In a task of its own, which outlives a caller that goes away and reaps the process in any
        // case.
        let stop = stop.child_token();
        let _ends_with_us = stop.clone().drop_guard();
        let code = memory.hold();
        let attended = async move {
            let attended = attend(child, &program, bounds, code, &stop).await;
            drop((slot, working));
            attended
        };
        let Attended {
            ended,
            spent,
            status,
        } = tokio::spawn(attended).await?.map_err(CompilerError::Io)?;
        Ok(match ended {
            Ended::Stopped => (Compiled::Stopped, spent),
            Ended::TooLate => (
                Compiled::Limited(format!(
                    "compiling took longer than the run's `wall` of {:?}",
                    bounds.wall
                )),
                spent,
            ),
            Ended::Answered(header, answer) => {
                self.log_gaps(jail::Gaps(header.gaps));
                (answer, Duration::from_nanos(header.cpu))
            }
            Ended::Died(complaint) => (died(status, &complaint, &task)?, spent),
        })
    }

    fn start(&self, task: Task) -> Result<Child, CompilerError> {
        let failed = |source| CompilerError::Start {
            program: self.program.clone(),
            source,
        };
        let mut start = Program::absolute(&self.program)
            .map_err(|error| failed(error.into()))?
            .start();
        start
            .bare()
            .env(ARENA.0, ARENA.1)
            .arg(SUBCOMMAND)
            .args(task.to_arguments());
        let mut command = start.tokio();
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|error| failed(error.into()))
    }

    fn log_gaps(&self, gaps: jail::Gaps) {
        let missing = gaps.describe();
        if !missing.is_empty() && !self.gaps_are_logged.swap(true, Ordering::Relaxed) {
            tracing::warn!(
                "the compiler of WebAssembly programs is jailed in part only: {}",
                missing.join("; ")
            );
        }
    }
}

/// Returns the parts of the compiler's jail that this machine does not offer, by trying it;
/// `program` is a binary of `glovebox`.
///
/// # Errors
///
/// If the compiler does not work at all.
pub async fn compiler_gaps(program: &Path) -> Result<Vec<&'static str>, Error> {
    let task = Task {
        metering: Metering::Fuel,
        stack: 1 << 20,
        memory: *MEMORY_BYTES.start(),
        cpu_seconds: 2,
        parent: std::process::id(),
    };
    let mut child = Compiler::new(program.to_owned()).start(task)?;
    let empty = b"\0asm\x01\0\0\0";
    let ended = tokio::time::timeout(
        Duration::from_secs(10),
        converse(&mut child, empty, MAX_ANSWER_BYTES, MemoryHold::default()),
    )
    .await;
    match ended {
        Ok((Some((header, _)), _)) => Ok(jail::Gaps(header.gaps).describe()),
        Ok((None, complaint)) => Err(CompilerError::NoAnswer {
            complaint: complaint.escape_debug().to_string(),
        }
        .into()),
        Err(_) => Err(CompilerError::Timeout.into()),
    }
}

/// The exit of a compiler's process.
struct Attended {
    ended: Ended,
    spent: Duration,
    status: ExitStatus,
}

enum Ended {
    Stopped,
    TooLate,
    Answered(AnswerHeader, Compiled),
    /// It exited without an answer, but with this message.
    Died(String),
}

/// Attends a compiler until its process has exited.
async fn attend(
    mut child: Child,
    program: &[u8],
    bounds: Bounds,
    held: MemoryHold,
    stop: &CancellationToken,
) -> std::io::Result<Attended> {
    let most = bounds.memory.clamp(MIN_CODE_BYTES, MAX_ANSWER_BYTES);
    let ended = tokio::select! {
        biased;
        () = stop.cancelled() => Ended::Stopped,
        ended = tokio::time::timeout(bounds.wall, converse(&mut child, program, most, held)) => match ended {
            Err(_) => Ended::TooLate,
            Ok((Some((header, answer)), _)) => Ended::Answered(header, answer),
            Ok((None, complaint)) => Ended::Died(complaint),
        },
    };
    // The kernel forgets a process's CPU time when it is reaped.
    let spent = cpu_time(&child);
    // A process that has closed its streams is about to exit, and its exit status says why.
    if matches!(ended, Ended::Died(_))
        && let Ok(status) = tokio::time::timeout(LAST_MOMENT, child.wait()).await
    {
        return Ok(Attended {
            ended,
            spent,
            status: status?,
        });
    }
    // It has no more output, or no more time.
    let _ = child.start_kill();
    Ok(Attended {
        ended,
        spent,
        status: child.wait().await?,
    })
}

/// Sends the program and receives the answer, or none if the process exits first; also its standard
/// error.
async fn converse(
    child: &mut Child,
    program: &[u8],
    most: u64,
    held: MemoryHold,
) -> (Option<(AnswerHeader, Compiled)>, String) {
    let (input, output, complaints) =
        (child.stdin.take(), child.stdout.take(), child.stderr.take());
    let mut complaint = Vec::new();
    let ((), answer, ()) = tokio::join!(
        // A process that exits early does not read all of it; that shows in the answer.
        async { drop(hand_over(input, program).await) },
        async { receive(output, most, held).await.ok() },
        async {
            if let Some(complaints) = complaints {
                let _ = complaints
                    .take(MAX_COMPLAINT_BYTES)
                    .read_to_end(&mut complaint)
                    .await;
            }
        },
    );
    (
        answer,
        String::from_utf8_lossy(&complaint).trim().to_owned(),
    )
}

async fn hand_over(input: Option<ChildStdin>, program: &[u8]) -> std::io::Result<()> {
    let Some(mut input) = input else {
        return Ok(());
    };
    input
        .write_all(&(program.len() as u64).to_le_bytes())
        .await?;
    input.write_all(program).await?;
    input.shutdown().await
}

async fn receive(
    output: Option<ChildStdout>,
    most: u64,
    mut held: MemoryHold,
) -> std::io::Result<(AnswerHeader, Compiled)> {
    let mut output = output.ok_or(std::io::ErrorKind::UnexpectedEof)?;
    let mut header = [0; AnswerHeader::BYTES];
    output.read_exact(&mut header).await?;
    let header = AnswerHeader::from_bytes(&header).ok_or(std::io::ErrorKind::InvalidData)?;
    if header.length > most {
        let (length, most) = (header.length >> 20, most >> 20);
        let why = format!(
            "the program's machine code has {length} MiB, and may have {most} MiB, which is `limits.memory` or at least 64 MiB"
        );
        return Ok((header, Compiled::Refused(Refusal::TooLarge(why))));
    }
    if let Err(why) = held.grow(header.length.saturating_mul(COPIES)) {
        return Ok((header, Compiled::NoMemory(why)));
    }
    let content = take(&mut output, header.length).await?;
    let text = |content: Vec<u8>| String::from_utf8_lossy(&content).into_owned();
    let answer = match header.kind {
        AnswerHeader::CODE => Compiled::Code(Code {
            bytes: content,
            held,
        }),
        AnswerHeader::TOO_LARGE => Compiled::Refused(Refusal::TooLarge(text(content))),
        _ => Compiled::Refused(Refusal::Invalid(text(content))),
    };
    Ok((header, answer))
}

async fn take(output: &mut (impl AsyncRead + Unpin), length: u64) -> std::io::Result<Vec<u8>> {
    let length = usize::try_from(length)
        .ok()
        .filter(|length| *length as u64 <= MAX_ANSWER_BYTES);
    let length = length.ok_or(std::io::ErrorKind::InvalidData)?;
    let mut content = Vec::new();
    // An announced length that is not sent costs address space only.
    content
        .try_reserve_exact(length)
        .map_err(|_| std::io::ErrorKind::OutOfMemory)?;
    output.take(length as u64).read_to_end(&mut content).await?;
    if content.len() == length {
        Ok(content)
    } else {
        Err(std::io::ErrorKind::UnexpectedEof.into())
    }
}

/// Interprets the exit of a compiler without an answer.
fn died(status: ExitStatus, complaint: &str, task: &Task) -> Result<Compiled, Error> {
    let shown = || {
        complaint
            .lines()
            .take(3)
            .collect::<Vec<_>>()
            .join(" ")
            .escape_debug()
            .to_string()
    };
    if complaint.contains("memory allocation") || complaint.contains("out of memory") {
        let limit = task.memory >> 20;
        return Ok(Compiled::Limited(format!(
            "compiling needs more than {limit} MiB of memory; `limits.memory` sets it, up to 1 GiB"
        )));
    }
    if complaint.contains("overflowed its stack") {
        return Ok(Compiled::Limited(
            "the program is nested too deeply to be compiled".to_owned(),
        ));
    }
    Ok(match status.signal() {
        Some(libc::SIGXCPU) => Compiled::Limited(format!(
            "compiling takes more than {} s of CPU time",
            task.cpu_seconds
        )),
        Some(libc::SIGKILL) => Compiled::Limited(
            "the system ended the compiler, at its limit of CPU time or for want of memory"
                .to_owned(),
        ),
        Some(libc::SIGSYS) => Compiled::Broke(
            "the compiler made a system call that its jail forbids, and was ended".to_owned(),
        ),
        Some(signal) => {
            tracing::warn!(
                signal,
                complaint = shown(),
                "the compiler of a WebAssembly program was ended"
            );
            Compiled::Broke(format!("the compiler was ended by signal {signal}"))
        }
        None if complaint.contains("panicked") => {
            // Locations in the compiler's source are for the operator only.
            tracing::warn!(
                complaint = shown(),
                "the compiler of a WebAssembly program failed"
            );
            Compiled::Broke("the compiler failed on this program".to_owned())
        }
        None => {
            return Err(CompilerError::Exit {
                status,
                complaint: shown(),
            }
            .into());
        }
    })
}

/// Returns the CPU time of a process so far; it must not have been reaped.
fn cpu_time(child: &Child) -> Duration {
    let Some(id) = child.id() else {
        return Duration::ZERO;
    };
    #[expect(
        clippy::disallowed_methods,
        reason = "the kernel's own account of our process"
    )]
    let Ok(stat) = std::fs::read_to_string(format!("/proc/{id}/stat")) else {
        return Duration::ZERO;
    };
    // The name, which may hold anything, ends with the last bracket; the 12th and 13th fields after
    // it are ticks of user and system time.
    let fields = stat.rsplit(") ").next().unwrap_or_default().split(' ');
    let ticks: u64 = fields
        .skip(11)
        .take(2)
        .filter_map(|field| field.parse::<u64>().ok())
        .sum();
    let per_second = rustix::param::clock_ticks_per_second().max(1);
    Duration::from_millis(ticks.saturating_mul(1000) / per_second)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_answer_has_a_bound() {
        let (mut here, mut there) = tokio::io::duplex(64);
        there.write_all(b"ab").await.unwrap();
        drop(there);
        assert!(take(&mut here, MAX_ANSWER_BYTES + 1).await.is_err());
        assert!(take(&mut here, 3).await.is_err());
    }
}
