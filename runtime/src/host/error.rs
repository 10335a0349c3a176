//! Errors of host calls: why was a call of a program not made, or why has it failed?

use glovebox_policy::Denial;
use std::time::Duration;

/// The error of a host call. Its text is for the author of the program.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CallError {
    /// The grant denies the call.
    #[error(transparent)]
    Denied(Box<Denial>),
    /// A limit of the run or a bound of the host was hit.
    #[error(transparent)]
    Limit(#[from] CallLimit),
    /// The call is invalid: an unknown name, or arguments of the wrong form.
    #[error("{0}")]
    Invalid(String),
    /// The tool, the server or the connection failed.
    #[error("{0}")]
    Failed(String),
}

impl CallError {
    /// Returns an error of a call with an unknown name or arguments of the wrong form.
    pub fn invalid(message: impl Into<String>) -> Self {
        Self::Invalid(shortened(message.into()))
    }

    /// Returns an error of a call that failed outside of the sandbox.
    pub fn failed(message: impl Into<String>) -> Self {
        Self::Failed(shortened(message.into()))
    }
}

/// Bytes of a message: it is kept until the program takes it, and may quote the program.
const MAX_MESSAGE: usize = 4 << 10;

fn shortened(mut message: String) -> String {
    if message.len() > MAX_MESSAGE {
        message.truncate(message.floor_char_boundary(MAX_MESSAGE));
        message.shrink_to_fit();
    }
    message
}

impl From<Denial> for CallError {
    fn from(denial: Denial) -> Self {
        Self::Denied(Box::new(denial))
    }
}

/// The limit that a host call hit.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CallLimit {
    /// The limit `host_calls`.
    #[error("the run may make {most} host calls and has made them")]
    HostCalls {
        /// The limit.
        most: u64,
    },
    /// The calls in flight.
    #[error("{most} host calls are in flight; take a result first")]
    InFlight {
        /// The bound.
        most: usize,
    },
    /// The bytes of one call's arguments.
    #[error("the arguments of a host call have at most {most} bytes, not {bytes}")]
    Arguments {
        /// The bound.
        most: usize,
        /// The bytes of the arguments.
        bytes: usize,
    },
    /// The limit `results`.
    #[error(
        "the results that a run shows have at most {most} bytes (`limits.results`), and {bytes} more do not fit"
    )]
    Results {
        /// The limit.
        most: u64,
        /// The bytes of this result.
        bytes: u64,
    },
    /// The number of results.
    #[error("a run shows at most {most} results")]
    ResultCount {
        /// The bound.
        most: usize,
    },
    /// The bytes of a tool's result.
    #[error("the tool's result has more than {most} bytes")]
    Result {
        /// The bound.
        most: usize,
    },
    /// The bytes of the arguments, or of the results, of all calls in flight.
    #[error(
        "the host calls in flight have {held} of {most} bytes, and {bytes} more do not fit; take a result first"
    )]
    BytesInFlight {
        /// The bytes of the other calls.
        held: u64,
        /// The bound.
        most: u64,
        /// The bytes of this call.
        bytes: u64,
    },
    /// The memory account of all runs ([`MemoryAccount`](crate::MemoryAccount)) refused, for this
    /// reason.
    #[error("{0}")]
    Account(String),
    /// The memory of the run, which its responses must fit into as well.
    #[error(
        "the answer would take {bytes} bytes of the host's memory, and a run has {most} for it (`limits.memory` of its profile)"
    )]
    Memory {
        /// The bytes of the response.
        bytes: u64,
        /// The limit.
        most: u64,
    },
    /// The limit on the body of a request (`network.limits.request`).
    #[error("a request body has at most {most} bytes here, not {bytes}")]
    RequestBody {
        /// The limit.
        most: u64,
        /// The bytes of the body.
        bytes: u64,
    },
    /// The limit on the body of a response.
    #[error("the answer has more than {most} bytes")]
    ResponseBody {
        /// The limit.
        most: u64,
    },
    /// The evaluation was interrupted, and has to end.
    #[error("the evaluation was interrupted; it makes no more calls")]
    Interrupted,
    /// The limit on redirects of one request.
    #[error("more than {most} redirects")]
    Redirects {
        /// The limit.
        most: u32,
    },
    /// The time limit of one request.
    #[error("no whole answer within {0:?}")]
    Timeout(Duration),
    /// The limit on tunnels, which is `host_calls`.
    #[error("more than {most} tunnels (`limits.host_calls`)")]
    Tunnels {
        /// The limit.
        most: u64,
    },
    /// The limit `wall` of the run.
    #[error("the call did not end within the time of its run (`limits.wall`)")]
    Deadline,
    /// A limit of the tool's provider, such as a rate limit.
    #[error("{0}")]
    Provider(String),
}
