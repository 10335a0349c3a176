//! Packages: which packages does a program need, and which may it have?
//!
//! A requirement is judged before anything is resolved, and its resolution is judged again, version
//! by version, together with the request itself.

pub(crate) mod ecosystem;
pub(crate) mod grant;
pub(crate) mod needs;
pub(crate) mod requirement;
pub(crate) mod rules;
pub(crate) mod versions;

pub use ecosystem::Ecosystem;
pub use grant::PackageGrant;
pub use needs::{MissingModule, Needs, ResolvedPackage, TierNeeds};
pub use requirement::Requirement;
