//! Package grant: which packages may be resolved for a request, and from where?

use std::fmt;
use std::sync::Arc;

use super::ecosystem::Ecosystem;
use super::requirement::Requirement;
use crate::config::profile::Profile;
use crate::tier::Tier;

/// Authority to resolve the packages of a request, before the result is known. Made by
/// [`Policy::admit_packages`](crate::Policy::admit_packages) alone.
#[derive(Clone)]
pub struct PackageGrant {
    pub(crate) profile: Arc<Profile>,
    pub(crate) language: String,
    pub(crate) ecosystem: Ecosystem,
    pub(crate) requirements: Vec<Requirement>,
    pub(crate) tiers: Vec<Tier>,
}

impl PackageGrant {
    /// The ecosystem of the packages.
    pub fn ecosystem(&self) -> Ecosystem {
        self.ecosystem
    }

    /// The language of the program.
    pub fn language(&self) -> &str {
        &self.language
    }

    /// The requested packages.
    pub fn requirements(&self) -> &[Requirement] {
        &self.requirements
    }

    /// The version constraints of the policy, for packages that it allows in some versions only.
    /// They hold for dependencies too.
    pub fn constraints(&self) -> Vec<String> {
        self.profile.packages(self.ecosystem).constraints()
    }

    /// The only index that may be used; `None` for the package manager's default.
    pub fn index(&self) -> Option<&str> {
        self.profile.packages(self.ecosystem).index.as_deref()
    }

    /// The candidate tiers, as far as they are known yet, in order of preference.
    pub fn tiers(&self) -> &[Tier] {
        &self.tiers
    }
}

impl fmt::Debug for PackageGrant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PackageGrant")
            .field("profile", &self.profile.key.name)
            .field("ecosystem", &self.ecosystem)
            .field("requirements", &self.requirements)
            .field("tiers", &self.tiers)
            .finish()
    }
}
