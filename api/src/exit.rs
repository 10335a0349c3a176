//! Exit codes and failure messages: with which code does the process end, and what does it report?
//!
//! The only place that maps outcomes and failures to exit codes.

use crate::terminal;
use glovebox::{Outcome, Status};
use std::fmt;
use std::process::ExitCode;

/// An exit code of the process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Exit(u8);

impl Exit {
    /// All is well.
    pub(crate) const SUCCESS: Self = Self(0);
    /// What was checked is not as it should be.
    pub(crate) const UNMET: Self = Self(1);
    /// The command line, or a file that it names, is invalid; the same code that a wrong option has.
    pub(crate) const USAGE: Self = Self(2);
    /// A limit ended the run.
    pub(crate) const LIMITED: Self = Self(124);
    /// Glovebox itself, or its installation, failed.
    pub(crate) const FAILED: Self = Self(125);
    /// The policy refused.
    pub(crate) const DENIED: Self = Self(126);
    /// Somebody stopped the run.
    pub(crate) const CANCELLED: Self = Self(130);
    /// The guest broke.
    pub(crate) const CRASHED: Self = Self(134);
    /// Whoever read the output has gone away.
    pub(crate) const UNREAD: Self = Self(141);

    /// The code for the end of a run: the program's own where it got to its end.
    pub(crate) fn of(outcome: &Outcome) -> Self {
        match outcome.status {
            Status::Succeeded => Self::SUCCESS,
            // A failure must never look like a success, whatever is left of the code in eight bits.
            Status::Failed => {
                Self(outcome.exit_code.and_then(|code| u8::try_from(code & 0xff).ok()).filter(|code| *code != 0).unwrap_or(1))
            }
            Status::Limited => Self::LIMITED,
            Status::Denied => Self::DENIED,
            Status::Cancelled => Self::CANCELLED,
            Status::Crashed => Self::CRASHED,
        }
    }

    /// The number, for `process::exit`.
    pub(crate) fn code(self) -> i32 {
        i32::from(self.0)
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.0)
    }
}

/// Why a command could not do what it was asked to, and what would help.
#[derive(Debug)]
pub(crate) struct Failure {
    exit: Exit,
    /// What was asked and why not; nothing where there is nobody left to read it.
    message: Option<String>,
    advice: Option<String>,
}

impl Failure {
    /// The command line, or a file that it names, is invalid.
    pub(crate) fn usage(message: impl fmt::Display) -> Self {
        Self { exit: Exit::USAGE, message: Some(message.to_string()), advice: None }
    }

    /// Glovebox itself, or its installation, failed.
    pub(crate) fn host(message: impl fmt::Display) -> Self {
        Self { exit: Exit::FAILED, message: Some(message.to_string()), advice: None }
    }

    /// Standard output can't be written. A reader that went away, as `head` does, is no reason for a message.
    pub(crate) fn output(error: &std::io::Error) -> Self {
        if error.kind() == std::io::ErrorKind::BrokenPipe {
            return Self { exit: Exit::UNREAD, message: None, advice: None };
        }
        Self::host(format!("cannot write to standard output: {error}"))
    }

    /// Says what would work.
    pub(crate) fn advise(mut self, advice: impl Into<String>) -> Self {
        self.advice = Some(advice.into());
        self
    }

    /// Says it on standard error; gives the code to end with.
    pub(crate) fn report(&self) -> Exit {
        if let Some(message) = &self.message {
            terminal::complain(message, self.advice.as_deref());
        }
        self.exit
    }
}
