//! npm resolver: how are JavaScript packages resolved?
//!
//! By npm, which never runs an install script here. A package that needs one, or is made for a
//! processor, has native code and is not available in the wasm tier.

use crate::gate::Gate;
use crate::lock::{Lock, Locked};
use crate::reach::Reach;
use crate::store::{Work, failed};
use crate::tools::{MAX_MEMORY, certificates, read, run};
use crate::unpack;
use glovebox::{Error, PackageTarget, ProcessMemory};
use glovebox_host::program::Start;
use glovebox_policy::PackageGrant;
use reqwest::Url;
use serde::Deserialize;
use serde_json::json;
use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::path::Path;
use std::sync::Arc;

const NPM_ADVICE: &str = "fetching JavaScript packages needs npm, such as by `apt-get install npm`";

/// The default registry of npm, by whose URLs its mirrors may name archives.
pub(crate) const DEFAULT_REGISTRY: &str = "https://registry.npmjs.org/";

/// The memory of npm in bytes, whichever there is. An ordinary resolution takes the least.
pub(crate) const NPM_MEMORY: RangeInclusive<u64> = (192 << 20)..=MAX_MEMORY;

/// npm's error codes of resolutions without a solution.
const NO_SOLUTION: [&str; 4] = ["E404", "ETARGET", "ERESOLVE", "EOVERRIDE"];

#[derive(Deserialize)]
struct PackageLock {
    #[serde(default)]
    packages: BTreeMap<String, LockEntry>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct LockEntry {
    /// The package's own name, if it is installed under an alias.
    name: Option<String>,
    version: Option<String>,
    resolved: Option<String>,
    integrity: Option<String>,
    #[serde(default)]
    link: bool,
    #[serde(default)]
    optional: bool,
    #[serde(default)]
    has_install_script: bool,
    #[serde(default)]
    os: Vec<String>,
    #[serde(default)]
    cpu: Vec<String>,
    #[serde(default)]
    libc: Vec<String>,
}

impl LockEntry {
    /// Returns whether it is made for a container's processor and system, as far as it declares.
    fn is_for(&self, cpu: &str) -> bool {
        // npm's rules: `!name` is everything but that, and `any` is everything.
        let fits = |asked: &[String], own: &str| {
            let refuses = asked.iter().any(|one| one.strip_prefix('!') == Some(own));
            let names = asked.iter().any(|one| one == own || one == "any");
            !refuses && (names || asked.iter().all(|one| one.starts_with('!')))
        };
        fits(&self.os, "linux") && fits(&self.cpu, cpu) && fits(&self.libc, "glibc")
    }
}

/// Returns npm's name of a target's processor; this machine's for a target without native code.
fn cpu(target: &PackageTarget) -> &'static str {
    let architecture = target
        .native
        .as_ref()
        .map_or(std::env::consts::ARCH, |native| &native.architecture);
    if architecture == "aarch64" {
        "arm64"
    } else {
        "x64"
    }
}

fn npm(grant: &PackageGrant, target: &PackageTarget, work: &Path) -> Result<Start, Error> {
    // Packages come from the index alone, and no user settings change that.
    let mut npm = glovebox_host::tools::npm(work)
        .map_err(|error| Error::packages(format!("{error}; {NPM_ADVICE}")))?;
    // npm has built-in certificate authorities; the system's count as well, as they do for uv.
    if let Some(bundle) = certificates() {
        npm.env("NODE_EXTRA_CA_CERTS", bundle);
    }
    npm.args([
        "--allow-git=none",
        "--allow-remote=none",
        "--allow-file=none",
        "--git=/bin/false",
    ]);
    // A timeout that reports an unreachable registry before the request times out.
    npm.args([
        "--fetch-retries=1",
        "--fetch-retry-mintimeout=500",
        "--fetch-retry-maxtimeout=2000",
        "--fetch-timeout=20000",
    ]);
    npm.args(["--os=linux", "--libc=glibc"])
        .arg(format!("--cpu={}", cpu(target)));
    npm.args([
        "install",
        "--package-lock-only",
        "--ignore-scripts",
        "--no-audit",
        "--no-fund",
        "--no-update-notifier",
        "--no-bin-links",
        "--omit=dev",
    ]);
    npm.args(["--no-progress", "--loglevel=error", "--cache"])
        .arg(work.join("npm"));
    if let Some(index) = grant.index() {
        npm.args(["--registry", index]);
    }
    Ok(npm)
}

/// Returns the heap limit of npm in MiB: three quarters of its memory.
fn heap(memory: u64) -> u64 {
    (memory >> 20) / 4 * 3
}

/// Resolves what is granted for one target.
pub(crate) async fn resolve(
    grant: &PackageGrant,
    target: &PackageTarget,
    work: &Work,
    memory: &Arc<ProcessMemory>,
) -> Result<Lock, Error> {
    let failed = failed(&work.path);
    work.directory
        .write("package.json", manifest(grant))
        .map_err(&failed)?;
    let mut npm = npm(grant, target, &work.path)?;
    // npm's downloads of metadata are bounded, and so is its output.
    npm.env(
        "NODE_OPTIONS",
        format!("--max-old-space-size={}", heap(memory.bytes())),
    );
    let index = Url::parse(grant.index().unwrap_or(DEFAULT_REGISTRY))
        .map_err(|error| Error::packages(error.to_string()))?;
    // Through a proxy, npm cannot verify a certificate for an IP address (https-proxy-agent passes
    // no name on). It contacts hardly any host but the registry, and a registry that a policy names
    // by its address is the operator's own.
    let gate = match index.domain() {
        Some(_) => Gate::open(Reach::new(index)).await?,
        None => None,
    };
    gate.iter().for_each(|gate| gate.lead(&mut npm));
    let answer = run(npm, "npm", "", Some(&work.directory), Some(memory)).await?;
    if answer.code != Some(0) {
        if let Some(why) = gate.as_ref().and_then(Gate::refused) {
            return Err(Error::packages(format!(
                "the index of packages leads elsewhere: {why}"
            )));
        }
        return match NO_SOLUTION
            .iter()
            .any(|code| answer.complaint.contains(code))
        {
            true => Ok(Lock::new(
                Vec::new(),
                Some(format!("cannot have these packages ({})", answer.complaint)),
            )),
            false => Err(Error::packages(format!(
                "the index of packages could not be asked: {}",
                answer.complaint
            ))),
        };
    }
    let text = read(&work.directory, "package-lock.json").map_err(&failed)?;
    let lock: PackageLock = serde_json::from_str(&text).map_err(|error| {
        Error::packages(format!("npm wrote a lock that cannot be read: {error}"))
    })?;
    let mut packages = Vec::new();
    let mut native = Vec::new();
    for (path, entry) in lock.packages.iter().filter(|(path, _)| !path.is_empty()) {
        let name = entry.name.clone().unwrap_or_else(|| {
            path.rsplit("node_modules/")
                .next()
                .unwrap_or(path)
                .to_owned()
        });
        if entry.optional && !entry.is_for(cpu(target)) {
            continue;
        }
        if entry.has_install_script || !entry.cpu.is_empty() {
            native.push(name.clone());
        }
        packages.push(locked(grant, name, path, entry)?);
    }
    packages.sort();
    if target.native.is_none() && !native.is_empty() {
        let shown: Vec<String> = native
            .iter()
            .take(3)
            .map(|name| format!("`{}`", name.escape_debug()))
            .collect();
        let lacks = format!("cannot run {}, which has native code", shown.join(", "));
        return Ok(Lock::new(Vec::new(), Some(lacks)));
    }
    Ok(Lock::new(packages, None))
}

fn locked(
    grant: &PackageGrant,
    name: String,
    path: &str,
    entry: &LockEntry,
) -> Result<Locked, Error> {
    let bad =
        |what: &str| Error::packages(format!("the index offers `{}` {what}", name.escape_debug()));
    let url = entry
        .resolved
        .as_deref()
        .filter(|_| !entry.link)
        .and_then(|url| archive_url(grant.index(), url));
    let url = url.ok_or_else(|| bad("from a place that is no index"))?;
    let version = entry
        .version
        .clone()
        .ok_or_else(|| bad("without a version"))?;
    let integrity = entry
        .integrity
        .as_deref()
        .ok_or_else(|| bad("without a digest"))?;
    let digest = strongest(integrity).ok_or_else(|| {
        bad("without a SHA-256, SHA-384 or SHA-512 digest; SHA-1 (`shasum`) and MD5 are not taken")
    })?;
    // Its path decides which packages see which version.
    Locked {
        name,
        version,
        file: path.to_owned(),
        digest,
        url,
    }
    .checked()
}

/// Returns the strongest digest of an entry's `integrity`: the one that an archive must match,
/// whichever others it may match as well.
fn strongest(integrity: &str) -> Option<String> {
    // With the length of the digest in base64.
    const TAKEN: [(&str, usize); 3] = [("sha512-", 88), ("sha384-", 64), ("sha256-", 44)];
    let is_base64 = |text: &str| {
        text.bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'='))
    };
    let (name, length, digest) = TAKEN.iter().find_map(|(name, length)| {
        let digest = integrity
            .split_ascii_whitespace()
            .find_map(|one| one.strip_prefix(name))?;
        Some((name, length, digest.split('?').next().unwrap_or(digest)))
    })?;
    // An invalid strong digest is no reason to take a weaker one.
    (digest.len() == *length && is_base64(digest)).then(|| format!("{name}{digest}"))
}

/// Returns the URL of an archive: at the index, and nowhere else. A mirror may name archives by the
/// URLs of the registry that it mirrors.
fn archive_url(index: Option<&str>, resolved: &str) -> Option<String> {
    let index = Url::parse(index.unwrap_or(DEFAULT_REGISTRY)).ok()?;
    let registry = Url::parse(DEFAULT_REGISTRY).ok()?;
    let url = Url::parse(resolved)
        .ok()
        .filter(|url| url.username().is_empty() && url.password().is_none())?;
    if url.origin() == index.origin() {
        Some(url.to_string())
    } else if url.origin() == registry.origin() {
        Some(format!(
            "{}{}",
            index.as_str().trim_end_matches('/'),
            url.path()
        ))
    } else {
        None
    }
}

/// Returns the path of a package's files below `node_modules`.
pub(crate) fn place(path: &str) -> Result<String, Error> {
    let inside = path
        .strip_prefix("node_modules/")
        .and_then(|path| unpack::path(path.as_bytes()).ok());
    inside.map(|path| path + "/").ok_or_else(|| {
        Error::packages(format!(
            "`{}` is no place for a package",
            path.escape_debug()
        ))
    })
}

/// Returns the `package.json` for npm: the requested packages, and as overrides the versions that
/// the policy allows of others.
fn manifest(grant: &PackageGrant) -> String {
    let ranges = |text: &str| {
        if text.is_empty() {
            "*".to_owned()
        } else {
            text.replace(',', " ")
        }
    };
    let mut wanted: BTreeMap<String, String> = grant
        .requirements()
        .iter()
        .map(|wanted| (wanted.name().to_owned(), ranges(wanted.versions())))
        .collect();
    let mut others = BTreeMap::new();
    for constraint in grant.constraints() {
        let Some((name, versions)) = constraint
            .rsplit_once('@')
            .filter(|(name, _)| !name.is_empty())
        else {
            continue;
        };
        match wanted.get_mut(name) {
            Some(range) if range == "*" => *range = ranges(versions),
            Some(range) => *range = format!("{range} {}", ranges(versions)),
            None => {
                others.insert(name.to_owned(), ranges(versions));
            }
        }
    }
    json!({ "name": "request", "version": "1.0.0", "private": true, "dependencies": wanted, "overrides": others }).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn archives_come_from_the_index_alone() {
        let mirror = Some("https://mirror.example:8443/npm/");
        for (index, resolved, url) in [
            (
                None,
                "https://registry.npmjs.org/a/-/a-1.0.0.tgz",
                Some("https://registry.npmjs.org/a/-/a-1.0.0.tgz"),
            ),
            (
                mirror,
                "https://mirror.example:8443/npm/a.tgz",
                Some("https://mirror.example:8443/npm/a.tgz"),
            ),
            (
                mirror,
                "https://registry.npmjs.org/@s/a/-/a-1.tgz",
                Some("https://mirror.example:8443/npm/@s/a/-/a-1.tgz"),
            ),
            (mirror, "https://mirror.example/npm/a.tgz", None),
            (mirror, "http://mirror.example:8443/npm/a.tgz", None),
            (mirror, "https://x:y@mirror.example:8443/a.tgz", None),
            (None, "https://registry.npmjs.org.example/a.tgz", None),
            (None, "git+ssh://git@github.com/a/a.git#0", None),
            (None, "file:../a.tgz", None),
            (None, "", None),
        ] {
            assert_eq!(archive_url(index, resolved).as_deref(), url, "{resolved}");
        }
        assert_eq!(
            place("node_modules/@s/a/node_modules/b").unwrap(),
            "@s/a/node_modules/b/"
        );
        for path in [
            "a",
            "node_modules",
            "node_modules/",
            "node_modules/../a",
            "../node_modules/a",
            "node_modules/a/../../b",
        ] {
            assert!(place(path).is_err(), "{path}");
        }
    }

    #[test]
    fn only_strong_digests_are_taken_and_the_strongest_counts() {
        let (md5, sha1) = (
            "md5-XUFAKrxLKna5cZ2REBfFkg==",
            "sha1-qvTGHdzF6KLavt4PO0gs2a6pQ00=",
        );
        let [sha256, sha384, sha512] = [("sha256", 44), ("sha384", 64), ("sha512", 88)]
            .map(|(name, length)| format!("{name}-{}", "A".repeat(length)));
        for weak in [
            "",
            " ",
            md5,
            sha1,
            &format!("{md5} {sha1}"),
            "sha512",
            "sha512-",
            "sha512-AAAA",
            "SHA512-AAAA",
            "sha1-sha512-",
        ] {
            assert_eq!(strongest(weak), None, "{weak}");
        }
        for (integrity, taken) in [
            (sha256.clone(), &sha256),
            (format!("{sha1} {sha256}"), &sha256),
            (format!("{sha512} {sha1}"), &sha512),
            (format!("{sha1}\n{sha256}\t{sha384}?option"), &sha384),
            (format!("{sha256} {sha512} {sha384}"), &sha512),
        ] {
            assert_eq!(strongest(&integrity).as_ref(), Some(taken), "{integrity}");
        }
        // An invalid digest does not make a weaker one good enough.
        assert_eq!(strongest(&format!("sha512-x {sha256}")), None);
    }
}
