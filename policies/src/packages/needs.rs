//! Package needs: what does a program need in each tier, once its packages are resolved?

use crate::denial::Denial;
use crate::text::quoted;
use crate::tier::Tier;

/// The needs of a program besides its request, gathered by the caller: the decision itself does no
/// I/O.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Needs {
    /// The resolved packages by tier. A tier that is missing here was not resolved for.
    pub tiers: Vec<TierNeeds>,
    /// Modules that the program imports and that no package provides.
    pub missing: Vec<MissingModule>,
    /// Tiers that would probably fail it, and why: another tier is preferred, but if there is none,
    /// it may try.
    pub unfit: Vec<(Tier, String)>,
}

/// The needs of a program in one tier.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TierNeeds {
    /// The tier.
    pub tier: Tier,
    /// Every package that would be installed, with transitive dependencies.
    pub packages: Vec<ResolvedPackage>,
    /// The reason why the tier cannot run it, such as ``cannot run `numpy`, which has native
    /// code``.
    pub lacks: Option<String>,
}

/// One version of a package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResolvedPackage {
    /// The normalized name.
    pub name: String,
    /// The version.
    pub version: String,
    /// The digest of its archive, such as `sha256:...`.
    pub digest: String,
}

/// An imported module that nothing provides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MissingModule {
    /// The module's name in the program.
    pub module: String,
    /// The line of the import; 0 if unknown.
    pub line: u32,
    /// The package that probably provides it.
    pub package: String,
}

impl MissingModule {
    pub(crate) fn denial(&self) -> Denial {
        let (module, package) = (quoted(&self.module), quoted(&self.package));
        let asked = match self.line {
            0 => format!("import of {module}"),
            line => format!("import of {module} in line {line}"),
        };
        let reason = format!(
            "no module of that name is in the sandbox or among the request's files; ask for the package {package} \
             (`--package {}`, `packages` in a request, or a `# /// script` block)",
            self.package.escape_debug()
        );
        Denial::invalid_request("request.wants.packages", asked, reason)
    }
}
