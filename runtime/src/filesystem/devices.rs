//! Device files (`/dev`): which ones does a program have?
//!
//! Those that programs expect everywhere, and none of the host's.

use crate::stdio::{GuestInput, Outputs};

/// A device file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Device {
    /// Nothing to read; takes everything.
    Null,
    /// Zeros; takes everything.
    Zero,
    /// Zeros; always full.
    Full,
    /// Random bytes; takes everything.
    Random,
    /// The standard input of the program.
    Stdin,
    /// Its standard output.
    Stdout,
    /// Its standard error.
    Stderr,
}

/// The paths of the device files.
pub(super) const PATHS: [(&str, Device); 11] = [
    ("/dev/fd/0", Device::Stdin),
    ("/dev/fd/1", Device::Stdout),
    ("/dev/fd/2", Device::Stderr),
    ("/dev/full", Device::Full),
    ("/dev/null", Device::Null),
    ("/dev/random", Device::Random),
    ("/dev/stderr", Device::Stderr),
    ("/dev/stdin", Device::Stdin),
    ("/dev/stdout", Device::Stdout),
    ("/dev/urandom", Device::Random),
    ("/dev/zero", Device::Zero),
];

/// The streams and the seed that the device files of a run are connected to.
pub(crate) struct Devices {
    pub(crate) input: GuestInput,
    pub(crate) outputs: Outputs,
    /// The seed of random bytes; `None` is the system's generator.
    pub(crate) seed: Option<u64>,
}

impl Device {
    /// Returns a number that no other device has.
    pub(super) fn id(self) -> u64 {
        self as u64
    }
}
