//! Container engine discovery: which engine is there, and what can it do?

use crate::container::Settings;
use crate::docker::{REAP_TIMEOUT, open, reap, reap_periodically};
use crate::egress::{self, LocalCa};
use crate::images::IMAGES;
use crate::owner::owner;
use crate::package_folder::PackageFolders;
use crate::pool::Pool;
use crate::seccomp;
use crate::transform::Scripts;
use bollard::Docker;
use bollard::models::{SystemInfo, SystemVersionComponents};
use glovebox_policy::{Tier, TierFacts};
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tokio::sync::OnceCell;

/// Timeout of discovering the engine's capabilities.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// The container tier. Cheap to clone.
#[derive(Clone)]
pub struct Containers {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    options: Options,
    engine: OnceCell<Engine>,
    local_ca: OnceLock<Result<Arc<LocalCa>, String>>,
    pub(crate) scripts: Arc<Scripts>,
}

/// The engine as it was found, or the reason why there is none.
pub(crate) struct Engine {
    pub(crate) pool: Option<Pool>,
    pub(crate) facts: TierFacts,
    diagnosis: Diagnosis,
}

/// The capabilities of the engine.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Diagnosis {
    /// Its version, such as `28.0.1`.
    pub version: Option<String>,
    /// The cgroup version: 1 or 2.
    pub cgroup: Option<String>,
    /// The OCI runtime that it starts containers with by default.
    pub runtime: Option<String>,
    /// Warnings about missing or vulnerable parts, and their remedy.
    pub advice: Vec<String>,
}

/// Settings of the tier.
#[derive(Clone, Debug, Default)]
struct Options {
    runtime: Option<String>,
    idle: usize,
    package_folders: Option<PathBuf>,
}

/// Builder of [`Containers`].
#[derive(Clone, Debug, Default)]
#[must_use]
pub struct ContainersBuilder(Options);

impl ContainersBuilder {
    /// Sets another OCI runtime that the engine knows, such as `runsc`.
    pub fn runtime(mut self, name: impl Into<String>) -> Self {
        self.0.runtime = Some(name.into());
        self
    }

    /// Sets the number of idle containers that are kept ready for each kind of run, so that a run
    /// does not wait for a cold start. Default: none.
    pub fn idle(mut self, containers: usize) -> Self {
        self.0.idle = containers;
        self
    }

    /// Sets the directory in which each session has a folder of its packages, so that they can
    /// change while it is open. It is created if it does not exist, and has to be on the file
    /// system of the package store, whose files are linked there. Default: none, and a session
    /// keeps the packages that it was opened with.
    pub fn package_folders(mut self, path: impl Into<PathBuf>) -> Self {
        self.0.package_folders = Some(path.into());
        self
    }

    /// Connects to an engine (`DOCKER_HOST`, else the usual sockets), probes its capabilities, and
    /// removes containers that were orphaned by processes that have ended.
    ///
    /// Without an engine this returns a tier that reports why it is unavailable.
    pub async fn connect(self) -> Containers {
        let containers = self.lazy();
        containers.engine().await;
        containers
    }

    /// Returns a tier that connects only when a decision first depends on it, as
    /// [`connect`](ContainersBuilder::connect) does.
    #[must_use]
    pub fn lazy(self) -> Containers {
        Containers {
            inner: Arc::new(Inner {
                options: self.0,
                engine: OnceCell::new(),
                local_ca: OnceLock::new(),
                scripts: Arc::default(),
            }),
        }
    }
}

impl Engine {
    async fn connect(options: &Options) -> Self {
        let found = match tokio::time::timeout(CONNECT_TIMEOUT, discover(options)).await {
            Ok(found) => found,
            Err(_) => Err(format!(
                "the container engine did not answer within {} s",
                CONNECT_TIMEOUT.as_secs()
            )),
        };
        found.unwrap_or_else(|reason| Self {
            pool: None,
            diagnosis: Diagnosis {
                advice: vec![reason.clone()],
                ..Diagnosis::default()
            },
            facts: TierFacts {
                unavailable: Some(reason),
                ..assumed_facts()
            },
        })
    }
}

impl Inner {
    /// Returns the local certificate authority; created when a run first has a network.
    pub(crate) fn local_ca(&self) -> Result<Arc<LocalCa>, String> {
        self.local_ca
            .get_or_init(|| LocalCa::new().map(Arc::new))
            .clone()
    }
}

impl Containers {
    /// Connects with the engine's default runtime, and without idle containers.
    pub async fn connect() -> Self {
        Self::builder().connect().await
    }

    /// Returns a builder with other settings.
    pub fn builder() -> ContainersBuilder {
        ContainersBuilder::default()
    }

    /// Returns the capabilities of the engine; connects if it is not connected.
    pub async fn diagnosis(&self) -> &Diagnosis {
        &self.engine().await.diagnosis
    }

    /// Returns the engine; connects if it is not connected.
    pub(crate) async fn engine(&self) -> &Engine {
        let Inner {
            options, engine, ..
        } = &*self.inner;
        engine.get_or_init(|| Engine::connect(options)).await
    }

    /// Returns the engine, if it is connected.
    pub(crate) fn connected(&self) -> Option<&Engine> {
        self.inner.engine.get()
    }
}

/// Returns the facts of an engine with all images, which is not connected yet.
pub(crate) fn assumed_facts() -> TierFacts {
    TierFacts::new(Tier::Container, languages(|_| true))
}

fn languages(has: impl Fn(&str) -> bool) -> Vec<String> {
    IMAGES
        .iter()
        .flat_map(|image| image.languages)
        .filter(|language| has(language))
        .map(|language| (*language).to_owned())
        .collect()
}

/// Discovers the engine and its capabilities, and removes orphans.
async fn discover(options: &Options) -> Result<Engine, String> {
    let docker = open()?;
    let failed =
        |error: bollard::errors::Error| format!("the container engine does not answer: {error}");
    let docker = docker.negotiate_version().await.map_err(failed)?;
    let version = docker.version().await.map_err(failed)?;
    let mut info = docker.info().await.map_err(failed)?;
    let runtimes = runtimes(options, &mut info)?;
    let (images, mut advice) = current_images(&docker).await;
    let components = version.components.unwrap_or_default();
    advice.extend(component_advice(&components));
    if info.swap_limit == Some(false) {
        advice.push(
            "the engine cannot limit swap on this kernel: where the machine has any, programs may use it beyond their memory".to_owned(),
        );
    }
    let is_podman = components.iter().any(|part| part.name.contains("Podman"));
    let podman = if is_podman {
        advice.push("Podman cannot limit the number of files in a container's workspace; its bytes are limited".to_owned());
        let files = seccomp::Files::write()
            .map_err(|error| format!("cannot write the seccomp profiles for Podman: {error}"))?;
        Some(files)
    } else {
        None
    };
    // Podman reports another id on every call.
    let owner = owner(if is_podman {
        ""
    } else {
        info.id.as_deref().unwrap_or_default()
    });
    remove_orphans(&docker, &owner).await;
    reap_periodically(docker.clone(), owner.clone());
    let settings = Settings {
        runtime: options.runtime.clone(),
        owner,
        podman,
        folders: options.package_folders.clone().map(PackageFolders::new),
    };
    Ok(Engine {
        pool: Some(Pool::new(docker, settings, options.idle)),
        facts: facts(&images, runtimes),
        diagnosis: Diagnosis {
            version: version.version,
            cgroup: info.cgroup_version.map(|version| version.to_string()),
            runtime: options.runtime.clone().or(info.default_runtime),
            advice,
        },
    })
}

/// Returns the OCI runtimes of the engine, sorted, or the reason why it cannot enforce limits.
fn runtimes(options: &Options, info: &mut SystemInfo) -> Result<Vec<String>, String> {
    let mut runtimes: Vec<String> = info
        .runtimes
        .take()
        .unwrap_or_default()
        .into_keys()
        .collect();
    runtimes.sort_unstable();
    if let Some(runtime) = options
        .runtime
        .as_ref()
        .filter(|name| !runtimes.contains(*name))
    {
        return Err(format!(
            "the container engine has no runtime `{runtime}`; it has {}",
            runtimes.join(", ")
        ));
    }
    if info.memory_limit == Some(false) || info.pids_limit == Some(false) {
        return Err(
            "the container engine cannot limit memory or processes on this kernel".to_owned(),
        );
    }
    Ok(runtimes)
}

/// Returns the languages whose images are built and current, and how to build the others.
async fn current_images(docker: &Docker) -> (Vec<&'static str>, Vec<String>) {
    let (mut languages, mut advice) = (Vec::new(), Vec::new());
    for image in &IMAGES {
        let problem = match docker.inspect_image(image.name).await {
            Ok(found) if image.is_current(&found) => {
                languages.extend(image.languages);
                continue;
            }
            Ok(_) => format!("the image `{}` was built by another version", image.name),
            Err(_) => format!(
                "there is no image `{}` for {}",
                image.name,
                image.languages.join(" and ")
            ),
        };
        advice.push(format!(
            "{problem}: `glovebox images build {}` builds it",
            image.language()
        ));
    }
    (languages, advice)
}

/// Returns the facts of the tier with these images.
fn facts(images: &[&str], runtimes: Vec<String>) -> TierFacts {
    let unavailable = images
        .is_empty()
        .then(|| "there are no images: `glovebox images build` builds them".to_owned());
    let offered = languages(|language| unavailable.is_some() || images.contains(&language));
    TierFacts {
        unavailable,
        runtimes,
        ..TierFacts::new(Tier::Container, offered)
    }
}

/// Removes what ended processes left. Orphans take memory, but failing to remove them must not make
/// the tier unavailable.
async fn remove_orphans(docker: &Docker, owner: &str) {
    egress::remove_orphans();
    match tokio::time::timeout(REAP_TIMEOUT, reap(docker, owner)).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::warn!(%error, "cannot list orphaned containers"),
        Err(_) => tracing::warn!(
            "there are many orphaned containers; the next start removes more of them"
        ),
    }
}

/// Returns the known vulnerabilities of the engine's components, each once.
fn component_advice(components: &[SystemVersionComponents]) -> Vec<String> {
    let mut advice = Vec::new();
    for found in components
        .iter()
        .filter_map(|part| weakness(&part.name, &part.version))
    {
        if !advice.contains(&found) {
            advice.push(found);
        }
    }
    advice
}

/// Returns the known vulnerability of an engine component's version, and its remedy.
fn weakness(part: &str, version: &str) -> Option<String> {
    // Podman forwards its runtime's version output, which has several lines.
    let version = version
        .trim_start_matches("runc version ")
        .lines()
        .next()
        .unwrap_or_default();
    let mut numbers = version
        .split(|c: char| !c.is_ascii_digit())
        .map(|number| number.parse::<u32>().unwrap_or(0));
    let mut next = || numbers.next().unwrap_or(0);
    let found = (next(), next(), next());
    // The first versions that fix the known container escapes (CVE-2024-21626, CVE-2025-31133,
    // CVE-2025-52565, CVE-2025-52881).
    let fixed = match found {
        (1, 2, _) => (1, 2, 8),
        (1, 3, _) => (1, 3, 3),
        _ => (1, 4, 0),
    };
    let is_old_engine = part == "Engine" && found < (20, 10, 0);
    let is_weak_runtime =
        (part == "runc" || part == "OCI Runtime (runc)") && found < fixed && found != (0, 0, 0);
    if is_old_engine {
        return Some(format!(
            "the engine {version} is too old: 20.10 or newer is needed"
        ));
    }
    is_weak_runtime.then(|| {
        format!(
            "runc {version} has known container escapes, unless its distribution has fixed them; 1.2.8 and 1.3.3 are the first versions without them"
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vulnerable_runtimes_are_reported() {
        let cases = [
            ("runc", "1.1.5+ds1", true),
            ("runc", "1.2.7", true),
            (
                "OCI Runtime (runc)",
                "runc version 1.1.15+ds1\ncommit: x\nspec: 1.2.0",
                true,
            ),
            (
                "OCI Runtime (runc)",
                "runc version 1.3.3\nspec: 1.2.0",
                false,
            ),
            ("OCI Runtime (crun)", "crun version 1.8.1", false),
            ("runc", "1.2.8", false),
            ("runc", "1.3.3", false),
            ("runc", "1.3.0", true),
            ("runc", "1.4.0", false),
            ("runc", "", false),
            ("Engine", "19.03.1", true),
            ("Engine", "20.10.24+dfsg1", false),
            ("containerd", "1.6.20~ds1", false),
        ];
        for (part, version, is_weak) in cases {
            assert_eq!(
                weakness(part, version).is_some(),
                is_weak,
                "{part} {version}"
            );
        }
    }
}
