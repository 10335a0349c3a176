//! Diagnosis: what does `glovebox doctor` report, as JSON too?

use glovebox_wire::outcome::milliseconds;
use serde::Serialize;
use std::time::Duration;

/// The result of `glovebox doctor`.
#[derive(Debug, Serialize)]
pub(crate) struct Diagnosis {
    /// The version of this program.
    pub(crate) version: &'static str,
    /// Whether programs can run.
    pub(crate) works: bool,
    /// Each tier.
    pub(crate) tiers: Vec<TierDiagnosis>,
    /// The machine.
    pub(crate) machine: MachineDiagnosis,
    /// The installed guests.
    pub(crate) guests: GuestsDiagnosis,
    /// The programs that building guests needs.
    pub(crate) build_tools: Vec<ToolDiagnosis>,
    /// Recommended actions, the most important first.
    pub(crate) advice: Vec<String>,
}

/// The diagnosis of one tier.
#[derive(Debug, Serialize)]
pub(crate) struct TierDiagnosis {
    /// The name of the tier.
    pub(crate) tier: &'static str,
    /// Whether a program ran in it.
    pub(crate) works: bool,
    /// The result, in one line.
    pub(crate) detail: String,
    /// The languages that were tested.
    pub(crate) languages: Vec<LanguageDiagnosis>,
}

impl TierDiagnosis {
    /// Returns a tier that is not built in.
    pub(crate) fn absent(tier: &'static str) -> Self {
        Self {
            tier,
            works: false,
            detail: "not in this build".to_owned(),
            languages: Vec::new(),
        }
    }
}

/// The diagnosis of one language, tested by running a program.
#[derive(Debug, Serialize)]
pub(crate) struct LanguageDiagnosis {
    /// Its name.
    pub(crate) language: String,
    /// Whether the program printed what it should.
    pub(crate) works: bool,
    /// Milliseconds of the second run.
    pub(crate) run_ms: Option<f64>,
    /// The failure.
    pub(crate) problem: Option<String>,
}

impl LanguageDiagnosis {
    /// Returns a language whose test program ran in this time.
    pub(crate) fn works(language: &str, time: Duration) -> Self {
        Self {
            language: language.to_owned(),
            works: true,
            run_ms: Some(milliseconds(time)),
            problem: None,
        }
    }
}

/// The diagnosis of the machine.
#[derive(Debug, Serialize)]
pub(crate) struct MachineDiagnosis {
    /// The operating system and processor.
    pub(crate) platform: String,
    /// The kernel's release.
    pub(crate) kernel: Option<String>,
    /// The processors that this process may use.
    pub(crate) cores: Option<usize>,
    /// Whether the kernel reports which pages a run has written (dirty pages).
    pub(crate) tells_dirty_pages: bool,
}

/// The diagnosis of the installed guests.
#[derive(Debug, Serialize)]
pub(crate) struct GuestsDiagnosis {
    /// The cache directory of guests and machine code.
    pub(crate) cache: Option<String>,
    /// Whether this binary carries guests.
    pub(crate) carried: bool,
    /// The guests and their versions.
    pub(crate) installed: Vec<String>,
}

/// A program that building guests needs.
#[derive(Debug, Serialize)]
pub(crate) struct ToolDiagnosis {
    /// Its name.
    pub(crate) name: &'static str,
    /// The version that it reports; missing if it is not installed or does not run.
    pub(crate) version: Option<String>,
}
