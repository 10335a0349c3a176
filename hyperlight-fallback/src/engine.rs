//! Container engine discovery: which engine is there, and what can it do?

use crate::container::{LABEL_OWNER, Settings};
use crate::egress::{self, LocalCa};
use crate::images::IMAGES;
use crate::pool::{Pool, remove};
use bollard::Docker;
use bollard::query_parameters::ListContainersOptions;
use glovebox_policy::{Tier, TierFacts};
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

/// Timeout of an information request to the engine.
const PATIENCE: Duration = Duration::from_secs(10);

/// Timeout of removing orphaned containers.
const REAPING: Duration = Duration::from_secs(5);

/// Interval at which this process looks for containers that other processes orphaned.
const WATCH: Duration = Duration::from_secs(60);

/// The container tier. Cheap to clone.
#[derive(Clone)]
pub struct Containers {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) pool: Option<Pool>,
    local_ca: OnceLock<Result<Arc<LocalCa>, String>>,
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

    /// Sets the number of idle containers that are kept ready for each kind of run, so that a run does not wait for a cold start. Default:
    /// none.
    pub fn idle(mut self, containers: usize) -> Self {
        self.0.idle = containers;
        self
    }

    /// Connects to an engine (`DOCKER_HOST`, else the usual sockets), probes its capabilities, and removes containers that were orphaned by
    /// processes that have ended.
    ///
    /// Without an engine this returns a tier that reports why it is unavailable.
    pub async fn connect(self) -> Containers {
        let found = match tokio::time::timeout(PATIENCE, look(&self.0)).await {
            Ok(found) => found,
            Err(_) => Err(format!(
                "the container engine did not answer within {} s",
                PATIENCE.as_secs()
            )),
        };
        let inner = match found {
            Ok(inner) => inner,
            Err(reason) => Inner {
                pool: None,
                local_ca: OnceLock::new(),
                diagnosis: Diagnosis {
                    advice: vec![reason.clone()],
                    ..Diagnosis::default()
                },
                facts: TierFacts {
                    unavailable: Some(reason),
                    ..TierFacts::new(Tier::Container, languages(|_| true))
                },
            },
        };
        Containers {
            inner: Arc::new(inner),
        }
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

    /// Returns the capabilities of the engine.
    #[must_use]
    pub fn diagnosis(&self) -> &Diagnosis {
        &self.inner.diagnosis
    }
}

fn languages(has: impl Fn(&str) -> bool) -> Vec<String> {
    IMAGES
        .iter()
        .filter(|image| has(image.language))
        .map(|image| image.language.to_owned())
        .collect()
}

/// Creates a client; no request is made yet.
#[expect(
    clippy::disallowed_methods,
    reason = "where the engine is, its own clients take from there too"
)]
pub(crate) fn open() -> Result<Docker, String> {
    let advice = "start one (Debian: `apt-get install docker.io`, then `dockerd` as root), or name it in DOCKER_HOST";
    let opened = if std::env::var_os("DOCKER_HOST").is_some() {
        Docker::connect_with_defaults()
    } else {
        Docker::connect_with_unix_defaults().or_else(|_| Docker::connect_with_podman_defaults())
    };
    opened.map_err(|error| format!("no container engine answers ({error}); {advice}"))
}

async fn look(options: &Options) -> Result<Inner, String> {
    let docker = open()?;
    let answers =
        |error: bollard::errors::Error| format!("the container engine does not answer: {error}");
    let docker = docker.negotiate_version().await.map_err(answers)?;
    let version = docker.version().await.map_err(answers)?;
    let info = docker.info().await.map_err(answers)?;
    let mut diagnosis = Diagnosis {
        version: version.version,
        cgroup: info.cgroup_version.map(|version| version.to_string()),
        runtime: options.runtime.clone().or(info.default_runtime),
        advice: Vec::new(),
    };
    let mut runtimes: Vec<String> = info.runtimes.unwrap_or_default().into_keys().collect();
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
    let mut images = Vec::new();
    for image in &IMAGES {
        let what = match docker.inspect_image(image.name).await {
            Ok(found) if image.is_current(&found) => {
                images.push(image.language);
                continue;
            }
            Ok(_) => format!("the image `{}` was made by another version", image.name),
            Err(_) => format!("there is no image `{}` for {}", image.name, image.language),
        };
        diagnosis.advice.push(format!(
            "{what}: `glovebox images build {}` makes it",
            image.language
        ));
    }
    egress::clear();
    let components = version.components.unwrap_or_default();
    let is_podman = components.iter().any(|part| part.name.contains("Podman"));
    // Podman reports another id on every call.
    let owner = owner(if is_podman {
        ""
    } else {
        info.id.as_deref().unwrap_or_default()
    });
    // Orphans take memory, but failing to remove them must not make the tier unavailable.
    match tokio::time::timeout(REAPING, reap(&docker, &owner)).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => {
            tracing::warn!(%error, "cannot look for containers that were left behind")
        }
        Err(_) => tracing::warn!(
            "there are many containers that were left behind; the next start removes more of them"
        ),
    }
    let unavailable = images
        .is_empty()
        .then(|| "there are no images: `glovebox images build` makes them".to_owned());
    let spoken = languages(|language| unavailable.is_some() || images.contains(&language));
    let facts = TierFacts {
        unavailable,
        runtimes,
        ..TierFacts::new(Tier::Container, spoken)
    };
    for advice in components
        .iter()
        .filter_map(|part| weakness(&part.name, &part.version))
    {
        if !diagnosis.advice.contains(&advice) {
            diagnosis.advice.push(advice);
        }
    }
    if info.swap_limit == Some(false) {
        diagnosis.advice.push(
            "the engine cannot limit swap on this kernel: where the machine has any, programs may use it beyond their memory".to_owned(),
        );
    }
    let podman = if is_podman {
        diagnosis.advice.push("Podman cannot limit the number of files in a container's workspace; its bytes are limited".to_owned());
        Some(crate::seccomp::Files::write().map_err(|error| {
            format!("the lists of system calls cannot be written for Podman: {error}")
        })?)
    } else {
        None
    };
    watch(docker.clone(), owner.clone());
    let settings = Settings {
        runtime: options.runtime.clone(),
        owner,
        podman,
    };
    Ok(Inner {
        pool: Some(Pool::new(docker, settings, options.idle)),
        local_ca: OnceLock::new(),
        facts,
        diagnosis,
    })
}

/// Removes orphaned containers periodically, for as long as this process has a runtime.
fn watch(docker: Docker, owner: String) {
    static WATCHED: AtomicBool = AtomicBool::new(false);
    if WATCHED.swap(true, Ordering::Relaxed) {
        return;
    }
    tokio::spawn(async move {
        // The runtime may end before the process does; the next tier that connects restarts the watch.
        let _over = Unwatched;
        loop {
            tokio::time::sleep(WATCH).await;
            if let Err(error) = reap(&docker, &owner).await {
                tracing::debug!(%error, "cannot look for containers that were left behind");
            }
        }
    });

    struct Unwatched;

    impl Drop for Unwatched {
        fn drop(&mut self) {
            WATCHED.store(false, Ordering::Relaxed);
        }
    }
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
    // The first versions that fix the known container escapes (CVE-2024-21626, CVE-2025-31133, CVE-2025-52565, CVE-2025-52881).
    let mended = match found {
        (1, 2, _) => (1, 2, 8),
        (1, 3, _) => (1, 3, 3),
        _ => (1, 4, 0),
    };
    let is_old_engine = part == "Engine" && found < (20, 10, 0);
    let is_weak_runtime =
        (part == "runc" || part == "OCI Runtime (runc)") && found < mended && found != (0, 0, 0);
    if is_old_engine {
        return Some(format!(
            "the engine {version} is too old: 20.10 or newer is needed"
        ));
    }
    is_weak_runtime.then(|| {
        format!(
            "runc {version} has known ways out of a container, unless its distribution has mended them: 1.2.8, 1.3.3 or newer has none of \
             them"
        )
    })
}

/// Identifies this process so that another one on the same machine can check whether it is alive: its id and its start time.
fn owner(engine: &str) -> String {
    let process = std::process::id();
    format!(
        "{}/{process}/{}",
        machine(engine),
        started(process).unwrap_or(0)
    )
}

/// Identifies the machine and PID namespace. Liveness cannot be checked across machines or PID namespaces.
fn machine(engine: &str) -> String {
    let boot = read("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    format!("{}-{}-{engine}", boot.trim(), namespace())
}

/// Returns the PID namespace of this process.
pub(crate) fn namespace() -> String {
    std::fs::read_link("/proc/self/ns/pid")
        .map(|name| name.display().to_string())
        .unwrap_or_default()
}

/// Returns the start time of a process, in clock ticks since boot; `None` if there is no such process.
pub(crate) fn started(process: u32) -> Option<u64> {
    let stat = read(&format!("/proc/{process}/stat"))?;
    // The command name, which may hold any byte, ends with the last parenthesis.
    stat.rsplit_once(')')?
        .1
        .split_ascii_whitespace()
        .nth(19)?
        .parse()
        .ok()
}

#[expect(
    clippy::disallowed_methods,
    reason = "the kernel's own account of processes; no path of a user is involved"
)]
fn read(path: &str) -> Option<String> {
    std::fs::read_to_string(path).ok()
}

/// Returns whether the process that created a container has ended.
fn is_orphan(label: &str, ours: &str) -> bool {
    let parts = |label: &str| -> Option<(String, u32, u64)> {
        let mut parts = label.rsplitn(3, '/');
        let since = parts.next()?.parse().ok()?;
        let process = parts.next()?.parse().ok()?;
        Some((parts.next()?.to_owned(), process, since))
    };
    match (parts(label), parts(ours)) {
        // Processes of another machine, or of another PID namespace, are not visible from here.
        (Some((machine, process, since)), Some((our_machine, ..))) => {
            machine == our_machine && started(process) != Some(since)
        }
        _ => false,
    }
}

async fn reap(docker: &Docker, owner: &str) -> Result<(), bollard::errors::Error> {
    let filters = HashMap::from([("label".to_owned(), vec![LABEL_OWNER.to_owned()])]);
    let options = ListContainersOptions {
        all: true,
        filters: Some(filters),
        ..ListContainersOptions::default()
    };
    for container in docker.list_containers(Some(options)).await? {
        let label = container
            .labels
            .unwrap_or_default()
            .remove(LABEL_OWNER)
            .unwrap_or_default();
        if let Some(id) = container.id.filter(|_| is_orphan(&label, owner)) {
            tracing::info!(id, "removing a container that was left behind");
            remove(docker, id, Instant::now() + REAPING).await;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weak_runtimes_are_told() {
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

    #[test]
    fn only_containers_of_processes_that_are_gone_are_left_behind() {
        let ours = owner("engine");
        assert!(!is_orphan(&ours, &ours));
        let (machine, rest) = ours.split_at(ours.find('/').unwrap());
        let process = std::process::id();
        assert!(
            is_orphan(&format!("{machine}/{process}/1"), &ours),
            "the number was used again"
        );
        assert!(
            is_orphan(&format!("{machine}/4194305/1"), &ours),
            "no such process"
        );
        for foreign in [
            "",
            "a",
            "a/b/c",
            &format!("11111111-2222-engine{rest}"),
            &format!("{machine}x/4194305/1"),
        ] {
            assert!(!is_orphan(foreign, &ours), "{foreign}");
        }
    }
}
