//! Exit codes and failure messages: with which code does the process end, and what does it report?
//!
//! The only place that maps outcomes and failures to exit codes.

use crate::terminal;
use glovebox::{Error, Outcome, Status};
use glovebox_wire::error::chain;
use std::fmt;
use std::process::ExitCode;

/// An exit code of the process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Exit(u8);

impl Exit {
    /// Success.
    pub(crate) const SUCCESS: Self = Self(0);
    /// A check found a problem.
    pub(crate) const UNMET: Self = Self(1);
    /// The command line, or a file that it names, is invalid; clap uses the same code for an
    /// invalid option.
    pub(crate) const USAGE: Self = Self(2);
    /// A limit ended the run.
    pub(crate) const LIMITED: Self = Self(124);
    /// Glovebox itself, or its installation, failed.
    pub(crate) const FAILED: Self = Self(125);
    /// The policy denied the request.
    pub(crate) const DENIED: Self = Self(126);
    /// The run was cancelled.
    pub(crate) const CANCELLED: Self = Self(130);
    /// The guest crashed.
    pub(crate) const CRASHED: Self = Self(134);
    /// The reader of the output has gone away (128 + SIGPIPE).
    pub(crate) const UNREAD: Self = Self(141);

    /// Returns the exit code for an outcome: the program's own if it ended by itself.
    pub(crate) fn of(outcome: &Outcome) -> Self {
        match outcome.status {
            Status::Succeeded => Self::SUCCESS,
            // A failure must never look like a success, whatever remains of the exit code in eight
            // bits.
            Status::Failed => Self(
                outcome
                    .exit_code
                    .and_then(|code| u8::try_from(code & 0xff).ok())
                    .filter(|code| *code != 0)
                    .unwrap_or(1),
            ),
            Status::Limited => Self::LIMITED,
            Status::Denied => Self::DENIED,
            Status::Cancelled => Self::CANCELLED,
            Status::Crashed => Self::CRASHED,
        }
    }

    /// Returns the number, for `process::exit`.
    pub(crate) fn code(self) -> i32 {
        i32::from(self.0)
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.0)
    }
}

/// The reason why a command failed, and what would help.
#[derive(Debug)]
pub(crate) struct Failure {
    exit: Exit,
    /// The failed action and its reason; `None` if standard output has no reader left.
    message: Option<String>,
    advice: Option<String>,
}

impl Failure {
    /// The command line, or a file that it names, is invalid.
    pub(crate) fn usage(message: impl fmt::Display) -> Self {
        Self {
            exit: Exit::USAGE,
            message: Some(message.to_string()),
            advice: None,
        }
    }

    /// Glovebox itself, or its installation, failed.
    pub(crate) fn host(message: impl fmt::Display) -> Self {
        Self {
            exit: Exit::FAILED,
            message: Some(message.to_string()),
            advice: None,
        }
    }

    /// Standard output cannot be written. A closed pipe, as `head` leaves it, is no reason for a
    /// message.
    pub(crate) fn output(error: &std::io::Error) -> Self {
        if error.kind() == std::io::ErrorKind::BrokenPipe {
            return Self {
                exit: Exit::UNREAD,
                message: None,
                advice: None,
            };
        }
        Self::host(format!("cannot write to standard output: {error}"))
    }

    /// Adds what would help.
    pub(crate) fn advise(mut self, advice: impl Into<String>) -> Self {
        self.advice = Some(advice.into());
        self
    }

    /// Prints the message to standard error; returns the exit code.
    pub(crate) fn report(&self) -> Exit {
        if let Some(message) = &self.message {
            terminal::complain(message, self.advice.as_deref());
        }
        self.exit
    }
}

/// The failure of a command because of an error of the sandbox.
impl From<&Error> for Failure {
    fn from(error: &Error) -> Self {
        let text = chain(error);
        match error {
            Error::RequestInvalid(_) | Error::SettingInvalid(_) => Self::usage(text),
            Error::Guest(_) => Self::host(text)
                .advise("`glovebox guests verify` says whether they are damaged; `glovebox doctor` says what else may be wrong"),
            Error::Audit { .. } => Self::host(text).advise("nothing runs without its record; make room for the log, or name another one"),
            Error::Packages(_) => {
                Self::host(text).advise("with `--offline`, what was fetched before is used and nothing else; `glovebox packages list` shows it")
            }
            Error::Mount { guest, .. } => Self::host(text).advise(mount_advice(guest)),
            _ => Self::host(text),
        }
    }
}

/// Returns what would help if a granted mount cannot be opened. Its host path is in the policy, not
/// in the message, which clients of a service may see.
fn mount_advice(guest: &str) -> String {
    format!(
        "the policy names the directory of the host: `host` of the mount with `guest = \"{guest}\"`; \
         `glovebox policy explain` shows it as well\n\
         make that directory, readable for this user, or take the mount out of the policy"
    )
}
