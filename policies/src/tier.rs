//! Isolation tiers: where can a grant run, and how strong is each tier's isolation?

use serde::{Deserialize, Serialize};

/// The isolation technology that runs a program.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    schemars::JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Tier {
    /// A WebAssembly guest inside the host process.
    Wasm,
    /// A container on the host's kernel.
    Container,
    /// A virtual machine with its own kernel, or none.
    Microvm,
}

/// The strength of isolation, the weakest first: how much has to break before a guest reaches the
/// host.
///
/// The order is by the attack surface that hostile code can reach.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    schemars::JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Isolation {
    /// The guest makes system calls: one bug in any of some 300 system calls of the shared kernel
    /// is enough.
    Container,
    /// The guest makes no system call, only the few typed host functions that it is given: a bug in
    /// the compiler or in one of those functions is needed, and the host process is another layer
    /// behind it.
    Wasm,
    /// The processor separates the guest's memory and privileges: a bug in the hypervisor or its
    /// few emulated devices is needed.
    Microvm,
}

impl Tier {
    /// All tiers.
    pub const ALL: [Self; 3] = [Self::Wasm, Self::Container, Self::Microvm];

    /// The name in configs, requests and results.
    pub fn name(self) -> &'static str {
        match self {
            Self::Wasm => "wasm",
            Self::Container => "container",
            Self::Microvm => "microvm",
        }
    }

    /// Returns the tier of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|tier| tier.name() == name)
    }

    /// Returns the isolation of this tier.
    pub fn isolation(self) -> Isolation {
        match self {
            Self::Wasm => Isolation::Wasm,
            Self::Container => Isolation::Container,
            Self::Microvm => Isolation::Microvm,
        }
    }
}

impl Isolation {
    /// All levels, the weakest first.
    pub const ALL: [Self; 3] = [Self::Container, Self::Wasm, Self::Microvm];

    /// The name in configs, requests and results.
    pub fn name(self) -> &'static str {
        match self {
            Self::Container => "container",
            Self::Wasm => "wasm",
            Self::Microvm => "microvm",
        }
    }

    /// Returns the level of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|level| level.name() == name)
    }
}

impl std::fmt::Display for Tier {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

impl std::fmt::Display for Isolation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}
