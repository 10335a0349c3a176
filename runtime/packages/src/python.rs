//! uv resolver: how are Python packages resolved?
//!
//! By uv, from wheels alone: nothing is ever built. The wasm tier can have packages with pure
//! wheels, in the versions that a native Python would get; an older version that happens to be pure
//! is not what was asked for.

use crate::download::Keys;
use crate::gate::Gate;
use crate::lock::{Lock, Locked};
use crate::reach::Reach;
use crate::store::Work;
use crate::tools::{Answer, IndexAccess, MAX_MEMORY, requirements, run, unresolved};
use glovebox::{Error, NativePlatform, PackageTarget, ProcessMemory};
use glovebox_host::program::{Program, Start};
use glovebox_policy::PackageGrant;
use reqwest::Url;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::path::Path;
use std::sync::Arc;

/// The index if the policy names none.
pub(crate) const DEFAULT_INDEX: &str = "https://pypi.org/simple";

/// The suffix of a pure wheel.
const PURE_WHEEL_SUFFIX: &str = "-none-any.whl";

/// uv's name of a WebAssembly platform; only its pure wheels are of use.
const WASM_PLATFORM: &str = "wasm32-pyodide2024";

/// The C library whose wheels stand for what a native Python would get.
const USUAL_LIBC: &str = "2_28";

/// The newest C library that uv has a platform for, as major and minor version. What was built for
/// an older one runs on a newer one as well.
const NEWEST_LIBC: (u32, u32) = (2, 40);

/// The memory of uv in bytes, whichever there is. A few packages with their dependencies take half
/// of the least.
pub(crate) const UV_MEMORY: RangeInclusive<u64> = (96 << 20)..=MAX_MEMORY;

/// uv's exit code if there is no solution.
const NO_SOLUTION: i32 = 1;

/// uv, with its settings.
pub(crate) struct Uv {
    pub(crate) program: Program,
    /// The interpreter that it queries for environments; otherwise it would look for one in
    /// directories.
    pub(crate) python: Program,
    pub(crate) access: IndexAccess,
    pub(crate) keys: Keys,
    pub(crate) memory: Arc<ProcessMemory>,
}

#[derive(Deserialize)]
struct Pylock {
    #[serde(default)]
    packages: Vec<PylockPackage>,
}

#[derive(Deserialize)]
struct PylockPackage {
    name: String,
    version: Option<String>,
    #[serde(default)]
    wheels: Vec<PylockWheel>,
}

#[derive(Deserialize)]
struct PylockWheel {
    name: Option<String>,
    url: Option<String>,
    #[serde(default)]
    hashes: BTreeMap<String, String>,
}

/// The environment for which packages are resolved.
#[derive(Clone, Copy)]
struct Environment<'a> {
    /// The version of Python.
    version: &'a str,
    /// uv's name of the platform.
    platform: &'a str,
}

fn environment<'a>(version: &'a str, platform: &'a str) -> Environment<'a> {
    Environment { version, platform }
}

/// The resolution, or the reason why there is none.
type Found = Result<Vec<Locked>, String>;

impl Uv {
    /// Returns a `uv pip compile` for this environment.
    fn pip_compile(
        &self,
        environment: Environment<'_>,
        grant: &PackageGrant,
        cache: &Path,
    ) -> Start {
        let mut uv = self.program.start();
        // Its home is a folder of this resolution, so that it finds no credentials there: it would
        // send them to whichever host a page of the index names. Those of an index it sends to the
        // same origin only: scheme, host and port.
        uv.network()
            .env("HOME", cache)
            .pass_paths("LD_LIBRARY_PATH");
        uv.args([
            "pip",
            "compile",
            "--no-config",
            "--system-certs",
            "--no-build",
            "--no-python-downloads",
            "--no-progress",
            "--color",
            "never",
        ]);
        uv.arg("--python").arg(self.python.path());
        uv.args(["--python-version", environment.version])
            .args(["--python-platform", environment.platform])
            .arg("--cache-dir")
            .arg(cache);
        if let Some((index, _)) = self.keyed(grant) {
            // Arguments are visible to all users of this machine, and the environment is not.
            uv.env("UV_DEFAULT_INDEX", index.as_str());
        } else if let Some(index) = grant.index() {
            uv.args(["--default-index", index]);
        }
        if self.access == IndexAccess::Offline {
            uv.arg("--offline");
        }
        uv
    }

    /// Returns the index with the user's credentials for it, and those credentials as they are
    /// encoded in there, if there are any.
    fn keyed(&self, grant: &PackageGrant) -> Option<(Url, [String; 2])> {
        let mut index = Url::parse(grant.index().unwrap_or(DEFAULT_INDEX)).ok()?;
        let (login, password) = self.keys.of(&index)?;
        index.set_username(&login).ok()?;
        index.set_password(Some(&password)).ok()?;
        let written = index.password().unwrap_or_default().to_owned();
        Some((index, [password, written]))
    }

    async fn ask(
        &self,
        grant: &PackageGrant,
        work: &Work,
        environment: Environment<'_>,
    ) -> Result<Found, Error> {
        let index = Url::parse(grant.index().unwrap_or(DEFAULT_INDEX))
            .map_err(|error| Error::packages(error.to_string()))?;
        let gate = Gate::open(Reach::new(index)).await?;
        let constraints = work.path.join("constraints.txt");
        // The cache is for this resolution alone: uv may unpack an archive to read its metadata.
        let mut uv = self.pip_compile(environment, grant, &work.path.join("uv"));
        uv.args([
            "--format",
            "pylock.toml",
            "--no-header",
            "--no-annotate",
            "--constraints",
        ])
        .arg(&constraints)
        .arg("-");
        gate.iter().for_each(|gate| gate.lead(&mut uv));
        let input = requirements(grant).join("\n") + "\n";
        let Answer {
            out,
            complaint,
            code,
        } = run(uv, "uv", &input, Some(&work.directory), Some(&self.memory)).await?;
        let keys = self
            .keyed(grant)
            .map(|(_, keys)| keys)
            .into_iter()
            .flatten();
        let complaint = keys
            .filter(|key| !key.is_empty())
            .fold(complaint, |text, key| text.replace(&key, "****"));
        let refused = gate
            .as_ref()
            .and_then(Gate::refused)
            .filter(|_| code != Some(0));
        if let Some(why) = refused {
            return Err(Error::packages(format!(
                "the index of packages leads elsewhere: {why}"
            )));
        }
        match code {
            Some(0) => {}
            Some(NO_SOLUTION) if complaint.contains("network was disabled") => {
                return Err(unresolved(grant, Some(&cause(&complaint))));
            }
            Some(NO_SOLUTION) => return Ok(Err(complaint)),
            _ => {
                return Err(Error::packages(format!(
                    "the index of packages could not be asked: {complaint}"
                )));
            }
        }
        let lock: Pylock = toml::from_str(&out).map_err(|error| {
            Error::packages(format!("uv wrote a lock that cannot be read: {error}"))
        })?;
        lock.packages
            .into_iter()
            .map(locked)
            .collect::<Result<Vec<_>, _>>()
            .map(Ok)
    }

    /// Resolves what is granted for one target.
    pub(crate) async fn resolve(
        &self,
        grant: &PackageGrant,
        target: &PackageTarget,
        work: &Work,
    ) -> Result<Lock, Error> {
        let Some(native) = &target.native else {
            return self.resolve_pure(grant, &target.interpreter, work).await;
        };
        Ok(
            match self
                .ask(
                    grant,
                    work,
                    environment(&target.interpreter, &platform(native)),
                )
                .await?
            {
                Ok(packages) => Lock::new(packages, None),
                Err(complaint) => Lock::new(Vec::new(), Some(unsolved(&complaint))),
            },
        )
    }

    async fn resolve_pure(
        &self,
        grant: &PackageGrant,
        interpreter: &str,
        work: &Work,
    ) -> Result<Lock, Error> {
        let usual = format!("{}-manylinux_{USUAL_LIBC}", std::env::consts::ARCH);
        let pure = self
            .ask(grant, work, environment(interpreter, WASM_PLATFORM))
            .await?;
        let usual = self
            .ask(grant, work, environment(interpreter, &usual))
            .await?;
        let lacks = |names: Vec<&str>| Lock::new(Vec::new(), Some(native_code(&names)));
        let is_pure = |package: &&Locked| package.file.ends_with(PURE_WHEEL_SUFFIX);
        Ok(match (pure, usual) {
            (Ok(pure), usual) => {
                let foreign: Vec<&str> = pure
                    .iter()
                    .filter(|package| !is_pure(package))
                    .map(|package| package.name.as_str())
                    .collect();
                let wanted = |package: &&Locked| {
                    grant
                        .requirements()
                        .iter()
                        .any(|wanted| wanted.name() == package.name)
                };
                let usual = usual.unwrap_or_default();
                let older = pure.iter().filter(wanted).filter(|package| {
                    usual
                        .iter()
                        .any(|usual| usual.name == package.name && usual.version != package.version)
                });
                let older: Vec<&str> = older.map(|package| package.name.as_str()).collect();
                match (foreign.is_empty(), older.is_empty()) {
                    (true, true) => Lock::new(pure, None),
                    (false, _) => lacks(foreign),
                    (true, false) => lacks(older),
                }
            }
            (Err(_), Ok(usual)) => lacks(
                usual
                    .iter()
                    .filter(|package| !is_pure(package))
                    .map(|package| package.name.as_str())
                    .collect(),
            ),
            (Err(complaint), Err(_)) => Lock::new(Vec::new(), Some(unsolved(&complaint))),
        })
    }
}

/// Returns uv's name of a native platform.
fn platform(native: &NativePlatform) -> String {
    let number = |text: &str| text.parse::<u32>().ok();
    let libc = native.libc.split_once('.');
    let (major, minor) = libc
        .and_then(|(major, minor)| Some((number(major)?, number(minor)?)))
        .map_or(NEWEST_LIBC, |libc| libc.min(NEWEST_LIBC));
    format!("{}-manylinux_{major}_{minor}", native.architecture)
}

fn native_code(names: &[&str]) -> String {
    let shown: Vec<String> = names
        .iter()
        .take(3)
        .map(|name| format!("`{name}`"))
        .collect();
    match shown.as_slice() {
        [] => "cannot run what these packages depend on, which has native code".to_owned(),
        [one] => format!("cannot run {one}, which has native code"),
        several => format!("cannot run {}, which have native code", several.join(", ")),
    }
}

fn unsolved(complaint: &str) -> String {
    format!("cannot have these packages ({})", cause(complaint))
}

/// Returns uv's reason why there is no solution, in one line.
fn cause(complaint: &str) -> String {
    let plain: String = complaint.split_whitespace().collect::<Vec<_>>().join(" ");
    plain
        .trim_start_matches("No solution found when resolving dependencies cause: ")
        .to_owned()
}

fn locked(package: PylockPackage) -> Result<Locked, Error> {
    let bad = |what: &str| {
        Error::packages(format!(
            "the index offers `{}` {what}",
            package.name.escape_debug()
        ))
    };
    let version = package
        .version
        .clone()
        .ok_or_else(|| bad("without a version"))?;
    let wheel = package.wheels.iter().find(|wheel| {
        wheel
            .file()
            .is_some_and(|file| file.ends_with(PURE_WHEEL_SUFFIX))
    });
    let wheel = wheel
        .or(package.wheels.first())
        .ok_or_else(|| bad("without a ready-made archive"))?;
    let file = wheel
        .file()
        .ok_or_else(|| bad("without an archive's name"))?
        .to_owned();
    let mut url = wheel
        .url
        .as_deref()
        .and_then(|url| Url::parse(url).ok())
        .ok_or_else(|| bad("without an address"))?;
    // Credentials are the user's secret, and must not be in any file of ours.
    let is_plain = url.set_username("").is_ok() && url.set_password(None).is_ok();
    let url = Some(url)
        .filter(|_| is_plain)
        .ok_or_else(|| bad("without an address"))?
        .to_string();
    let digest = wheel
        .hashes
        .get("sha256")
        .ok_or_else(|| bad("without a SHA-256 digest"))?;
    Locked {
        name: package.name,
        version,
        file,
        digest: format!("sha256:{digest}"),
        url,
    }
    .checked()
}

impl PylockWheel {
    fn file(&self) -> Option<&str> {
        self.name
            .as_deref()
            .or_else(|| self.url.as_deref()?.rsplit('/').next())
    }
}

/// Returns uv's constraints: the versions that the policy allows.
pub(crate) fn constraints(grant: &PackageGrant) -> String {
    grant.constraints().join("\n") + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn platform_is_one_that_the_resolver_knows() {
        for (libc, known) in [
            ("2.36", "x86_64-manylinux_2_36"),
            ("2.40", "x86_64-manylinux_2_40"),
            ("2.43", "x86_64-manylinux_2_40"),
            ("3.0", "x86_64-manylinux_2_40"),
        ] {
            let native = NativePlatform {
                architecture: "x86_64".to_owned(),
                libc: libc.to_owned(),
            };
            assert_eq!(platform(&native), known);
        }
    }
}
