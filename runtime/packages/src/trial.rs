//! Trial import: does a package set import in the tier that would get it?
//!
//! Pure packages may import modules that only a full standard library has. Whether they need them
//! shows when they are imported, so that is tried, once for each set, in a sandbox that grants
//! nothing. What the packages print or raise there has no other effect than the choice of a tier
//! that the policy grants.

use crate::workshop::{Memory, Workshop};
use async_trait::async_trait;
use glovebox::{
    Allowance, Controls, Error, Input, PackageManager, PackageTarget, PackageTree, Request,
    Resolution, Status, Survey,
};
use glovebox_policy::{Ecosystem, Limit, LimitWishes, PackageGrant, Requirement};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use std::time::Duration;

/// Imports modules of Python packages.
const PYTHON: &str = include_str!("trial.py");

/// Imports JavaScript packages.
const JAVASCRIPT: &str = include_str!("trial.js");

/// The limits of one trial: its time, fuel and memory.
const WALL: Duration = Duration::from_secs(5);
const FUEL: u64 = 8_000_000_000;
const MEMORY: u64 = 1 << 30;

/// Modules that one trial imports.
const MAX_MODULES: usize = 100;

/// The longest name of a module or of a part of it in bytes.
const MAX_NAME: usize = 200;

/// The modules of one trial.
#[derive(Serialize)]
pub(crate) struct Trial<'a> {
    /// Those that the program imports.
    modules: Vec<&'a str>,
    /// The requested packages, if no program is known.
    packages: Vec<&'a str>,
    #[serde(skip)]
    ecosystem: Ecosystem,
}

/// Whether the result of a trial is kept for later requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kept {
    Yes,
    No,
}

/// The module that a trial found missing.
#[derive(Deserialize)]
struct Missing {
    /// The module of the standard library, or one that the tier has in part.
    module: String,
    /// The part of it.
    part: Option<String>,
    /// The imported module that needs it.
    importer: String,
}

impl<'a> Trial<'a> {
    /// Returns the trial of a program with these imports, or of all requested packages.
    pub(crate) fn new(grant: &'a PackageGrant, imports: &'a [String]) -> Self {
        let named = |names: Vec<&'a str>| {
            let mut names = names;
            names.retain(|name| name.len() <= MAX_NAME);
            names.sort_unstable();
            names.dedup();
            names.truncate(MAX_MODULES);
            names
        };
        let modules = named(imports.iter().map(String::as_str).collect());
        let packages = if modules.is_empty() {
            named(grant.requirements().iter().map(Requirement::name).collect())
        } else {
            Vec::new()
        };
        Self {
            modules,
            packages,
            ecosystem: grant.ecosystem(),
        }
    }

    /// Returns the parts of the key under which the result is kept.
    pub(crate) fn key(&self, tree: &str) -> impl Iterator<Item = String> {
        let version = env!("CARGO_PKG_VERSION");
        let parts = ["trial", version, tree].map(str::to_owned);
        let lists = [self.modules.join("\n"), self.packages.join("\n")];
        parts.into_iter().chain(lists)
    }

    /// Imports them, and returns what the tier lacks for that, if anything, and whether another
    /// trial would come to the same. An import that fails for another reason, or takes too long,
    /// fails in the run.
    pub(crate) async fn run(
        &self,
        workshop: &Workshop,
        (target, tree): (&PackageTarget, PackageTree),
        allowance: &Allowance,
    ) -> Result<(Option<String>, Kept), Error> {
        let memory = Memory::of_guest(MEMORY, allowance);
        let sandbox = workshop.with_packages(target.tier, Arc::new(Given(tree)), memory)?;
        let (language, ours) = match self.ecosystem {
            Ecosystem::Python => ("python", PYTHON),
            Ecosystem::JavaScript => ("javascript", JAVASCRIPT),
        };
        let mut request = Request::new(language, ours);
        request.subject = allowance.subject().clone();
        request.wants.packages.push("given".to_owned());
        request.wants.limits = LimitWishes::default().at_most(WALL, FUEL, MEMORY);
        let controls = Controls {
            input: Input::Bytes(serde_json::to_vec(self).unwrap_or_default().into()),
            stop: allowance.stop().clone(),
            ..Controls::default()
        };
        let mut preparing = allowance.prepare();
        let outcome = sandbox.run_with(request, controls).await?;
        preparing.used(&outcome.usage);
        let kept = match outcome.status {
            Status::Succeeded | Status::Failed | Status::Crashed => Kept::Yes,
            Status::Limited if outcome.limit.is_some_and(|hit| hit.limit == Limit::Fuel) => {
                Kept::Yes
            }
            // The load of the machine, or the client, has ended it.
            _ => Kept::No,
        };
        if outcome.status != Status::Succeeded {
            return Ok((None, kept));
        }
        // Packages may print when they are imported.
        let printed = outcome.stdout.text();
        let missing = printed.lines().last();
        let missing: Option<Missing> = missing.and_then(|line| serde_json::from_str(line).ok());
        Ok((missing.and_then(Missing::reason), kept))
    }
}

impl Missing {
    /// Returns the reason why the tier is passed over, unless the names in it are none.
    fn reason(self) -> Option<String> {
        let Self {
            module,
            part,
            importer,
        } = self;
        let is_name = |name: &String| {
            let is_plain = |c: char| c.is_alphanumeric() || "._-/@:".contains(c);
            !name.is_empty() && name.len() <= MAX_NAME && name.chars().all(is_plain)
        };
        if ![&module, &importer].into_iter().chain(&part).all(is_name) {
            return None;
        }
        let lacks = match part {
            Some(part) => format!("has no `{part}` in its module `{module}`"),
            None => format!("has no module `{module}`"),
        };
        Some(format!("{lacks}, which the package of `{importer}` needs"))
    }
}

/// A manager that has one tree.
struct Given(PackageTree);

#[async_trait]
impl PackageManager for Given {
    async fn survey(&self, _: &Request, _: &Allowance) -> Result<Survey, Error> {
        Ok(Survey::default())
    }

    async fn resolve(
        &self,
        _: &PackageGrant,
        targets: &[PackageTarget],
        _: &Allowance,
    ) -> Result<Vec<Resolution>, Error> {
        let resolution = |target: &PackageTarget| Resolution {
            target: target.clone(),
            packages: Vec::new(),
            lacks: None,
        };
        Ok(targets.iter().map(resolution).collect())
    }

    async fn fetch(
        &self,
        _: &PackageGrant,
        _: &Resolution,
        _: &Allowance,
    ) -> Result<PackageTree, Error> {
        Ok(self.0.clone())
    }
}
