//! Where do containers come from, and what becomes of them?
//!
//! A container that was made ahead of its run waits for a job without using the processor, and is paused until then. None is used twice.

use crate::container::Settings;
use bollard::Docker;
use bollard::container::{AttachContainerResults, LogOutput};
use bollard::errors::Error;
use bollard::models::ContainerCreateBody;
use bollard::query_parameters::{AttachContainerOptions, CreateContainerOptions, RemoveContainerOptions, StatsOptions};
use futures_util::{Stream, StreamExt as _};
use glovebox::{Hold, PoolStats};
use std::collections::HashMap;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::io::AsyncWrite;

/// Kinds of runs for which containers are kept; each is a description of its own.
const MAX_KINDS: usize = 16;

/// How long whoever waits for a run waits for its container's end.
const LAST_MOMENT: Duration = Duration::from_secs(2);

/// How long an engine may take to say what a container has used.
const ACCOUNT: Duration = Duration::from_millis(1500);

/// How long an engine may take to remove a container, after the time in which that ends by itself.
const REMOVAL: Duration = Duration::from_secs(30);

/// How often an engine is asked whether it has removed a container.
const STEP: Duration = Duration::from_millis(20);

/// How often an engine that fails is asked again.
const RETRY: Duration = Duration::from_secs(1);

/// What a container says.
pub(crate) type ProgramOutput = Pin<Box<dyn Stream<Item = Result<LogOutput, Error>> + Send>>;

/// What a container hears.
pub(crate) type ProgramInput = Pin<Box<dyn AsyncWrite + Send>>;

/// A running container. It ends when this is dropped.
pub(crate) struct Container {
    docker: Docker,
    /// Empty once somebody else sees to its end.
    id: String,
    /// Given back when it is gone, not when its run is answered.
    kept: Option<Kept>,
    pub(crate) said: Option<ProgramOutput>,
    pub(crate) heard: Option<ProgramInput>,
}

/// What a run keeps for as long as its container is there.
pub(crate) struct Kept {
    /// Its place among those that run at once.
    pub(crate) _place: Hold,
    /// When the container's own clock ends it, should the engine not.
    pub(crate) until: Instant,
}

/// What a container has used, by its engine's account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Used {
    pub(crate) cpu: Duration,
    pub(crate) peak_memory: u64,
}

impl Container {
    async fn start(docker: &Docker, body: ContainerCreateBody, kept: Option<Kept>) -> Result<Self, Error> {
        let created = docker.create_container(None::<CreateContainerOptions>, body).await?;
        // From here on it is removed whatever happens.
        let mut container = Self { docker: docker.clone(), id: created.id, kept, said: None, heard: None };
        let options = AttachContainerOptions { stream: true, stdin: true, stdout: true, stderr: true, ..AttachContainerOptions::default() };
        let AttachContainerResults { output, input } = docker.attach_container(&container.id, Some(options)).await?;
        container.said = Some(output);
        container.heard = Some(input);
        docker.start_container(&container.id, None).await?;
        Ok(container)
    }

    /// Ends it now, and waits for that, but not for an engine that does not answer.
    pub(crate) async fn end(mut self) {
        if tokio::time::timeout(LAST_MOMENT, tokio::spawn(self.removal())).await.is_err() {
            tracing::warn!("the container engine takes its time to end a container");
        }
    }

    /// Ends it now, and does not wait for that.
    pub(crate) fn end_behind(mut self) {
        tokio::spawn(self.removal());
    }

    /// What it has used so far. It is frozen first, and does not go on afterwards either.
    pub(crate) fn used(&self) -> impl Future<Output = Option<Used>> + Send + use<> {
        let (docker, id) = (self.docker.clone(), self.id.clone());
        async move {
            let asked = async {
                docker.pause_container(&id).await?;
                let options = StatsOptions { stream: false, one_shot: true };
                docker.stats(&id, Some(options)).next().await.transpose()
            };
            let told = tokio::time::timeout(ACCOUNT, asked).await.ok()?.ok()??;
            let (cpu, memory) = (told.cpu_stats?.cpu_usage?.total_usage?, told.memory_stats?);
            Some(Used { cpu: Duration::from_nanos(cpu), peak_memory: memory.max_usage.or(memory.usage)? })
        }
    }

    /// What removes it, to be run by somebody who goes on.
    fn removal(&mut self) -> impl Future<Output = ()> + Send + use<> {
        let (docker, id, kept) = (self.docker.clone(), std::mem::take(&mut self.id), self.kept.take());
        async move {
            remove(&docker, id, kept.as_ref().map_or_else(Instant::now, |kept| kept.until) + REMOVAL).await;
            drop(kept);
        }
    }
}

/// Ends a container and waits until it is gone, but not for ever for an engine that fails.
pub(crate) async fn remove(docker: &Docker, id: String, until: Instant) {
    loop {
        let force = RemoveContainerOptions { force: true, v: true, ..RemoveContainerOptions::default() };
        let pause = match docker.remove_container(&id, Some(force)).await {
            Ok(()) | Err(Error::DockerResponseServerError { status_code: 404, .. }) => return,
            // The engine is at it already.
            Err(Error::DockerResponseServerError { status_code: 409, .. }) => STEP,
            Err(error) if Instant::now() + RETRY < until => {
                tracing::debug!(id, %error, "a container is not removed yet");
                RETRY
            }
            Err(error) => {
                tracing::error!(id, %error, "a container could not be removed; the next start removes it");
                return;
            }
        };
        if Instant::now() > until {
            tracing::error!(id, "the engine does not come to an end with removing a container");
            return;
        }
        tokio::time::sleep(pause).await;
    }
}

impl Drop for Container {
    fn drop(&mut self) {
        if self.id.is_empty() {
            return;
        }
        // Without a runtime the stream's end is what ends it.
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(self.removal());
        }
    }
}

/// Makes containers, some of them ahead.
#[derive(Clone)]
pub(crate) struct Pool {
    docker: Docker,
    pub(crate) settings: Arc<Settings>,
    idle: usize,
    kinds: Arc<Mutex<HashMap<String, Kind>>>,
    /// Runs that found a container, and that did not.
    counts: Arc<[AtomicU64; 2]>,
}

/// The containers of one description.
#[derive(Default)]
struct Kind {
    ready: Vec<Container>,
    /// How many are being made.
    coming: usize,
}

impl Pool {
    pub(crate) fn new(docker: Docker, settings: Settings, idle: usize) -> Self {
        Self { docker, settings: Arc::new(settings), idle, kinds: Arc::default(), counts: Arc::default() }
    }

    /// How many wait for a run, and how many runs found one.
    pub(crate) fn stock(&self) -> PoolStats {
        let [warm, cold] = &*self.counts;
        let ready = self.lock().values().map(|kind| kind.ready.len() as u64).sum();
        PoolStats { ready, warm: warm.load(Ordering::Relaxed), cold: cold.load(Ordering::Relaxed) }
    }

    /// Whether the engine answers.
    pub(crate) async fn ping(&self) -> Result<(), Error> {
        self.docker.ping().await.map(drop)
    }

    /// A container for one run.
    pub(crate) async fn take(&self, body: ContainerCreateBody, kept: Kept) -> Result<Container, Error> {
        if self.idle == 0 {
            return self.make(body, kept).await;
        }
        // As a value first: its maps are in order, so that the same description is the same text.
        let kind = serde_json::to_value(&body).map(|value| value.to_string()).unwrap_or_default();
        let ready = self.lock().get_mut(&kind).and_then(|kind| kind.ready.pop());
        tokio::spawn(self.clone().fill(kind, body.clone()));
        if let Some(mut container) = ready {
            // One that does not go on, as after a restart of the engine, is dropped.
            if self.docker.unpause_container(&container.id).await.is_ok() {
                self.count(0);
                container.kept = Some(kept);
                return Ok(container);
            }
        }
        self.make(body, kept).await
    }

    /// Makes a container on a task of its own: a request that is given up half-way could leave one that nobody knows.
    pub(crate) async fn make(&self, body: ContainerCreateBody, kept: Kept) -> Result<Container, Error> {
        self.count(1);
        let docker = self.docker.clone();
        let made = tokio::spawn(async move { Container::start(&docker, body, Some(kept)).await });
        made.await.map_err(|error| Error::IOError { err: std::io::Error::other(error) })?
    }

    fn count(&self, which: usize) {
        if let Some(count) = self.counts.get(which) {
            count.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<String, Kind>> {
        self.kinds.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes containers until there are enough.
    async fn fill(self, kind: String, body: ContainerCreateBody) {
        while self.reserve(&kind) {
            let made = async {
                let container = Container::start(&self.docker, body.clone(), None).await?;
                self.docker.pause_container(&container.id).await?;
                Ok::<_, Error>(container)
            };
            let made = made.await;
            let mut kinds = self.lock();
            let kept = kinds.entry(kind.clone()).or_default();
            kept.coming = kept.coming.saturating_sub(1);
            match made {
                Ok(container) => kept.ready.push(container),
                Err(error) => {
                    tracing::warn!(%error, "no container could be made ahead");
                    return;
                }
            }
        }
    }

    /// Whether one more may be made; counts it where it may.
    fn reserve(&self, kind: &str) -> bool {
        let mut kinds = self.lock();
        if !kinds.contains_key(kind) && kinds.len() >= MAX_KINDS {
            return false;
        }
        let kind = kinds.entry(kind.to_owned()).or_default();
        let may = kind.ready.len() + kind.coming < self.idle;
        kind.coming += usize::from(may);
        may
    }
}
