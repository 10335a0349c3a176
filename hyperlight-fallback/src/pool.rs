//! Where do containers come from, and what becomes of them?
//!
//! A container that was made ahead of its run waits for a job without using the processor, and is paused until then. None is used twice.

use crate::container::Settings;
use bollard::Docker;
use bollard::container::{AttachContainerResults, LogOutput};
use bollard::errors::Error;
use bollard::models::ContainerCreateBody;
use bollard::query_parameters::{AttachContainerOptions, CreateContainerOptions, RemoveContainerOptions};
use futures_util::Stream;
use glovebox::Stock;
use std::collections::HashMap;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::io::AsyncWrite;

/// Kinds of runs for which containers are kept; each is a description of its own.
const MAX_KINDS: usize = 16;

/// How long a container may take to end after its last words.
const LAST_MOMENT: Duration = Duration::from_secs(2);

/// What a container says.
pub(crate) type Said = Pin<Box<dyn Stream<Item = Result<LogOutput, Error>> + Send>>;

/// What a container hears.
pub(crate) type Heard = Pin<Box<dyn AsyncWrite + Send>>;

/// A running container. It ends when this is dropped.
pub(crate) struct Container {
    docker: Docker,
    /// Empty once somebody else sees to its end.
    id: String,
    pub(crate) said: Option<Said>,
    pub(crate) heard: Option<Heard>,
}

impl Container {
    async fn start(docker: &Docker, body: ContainerCreateBody) -> Result<Self, Error> {
        let created = docker.create_container(None::<CreateContainerOptions>, body).await?;
        // From here on it is removed whatever happens.
        let mut container = Self { docker: docker.clone(), id: created.id, said: None, heard: None };
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

    /// It says that it has ended, and then the engine removes it. A program that only says so is given a moment.
    pub(crate) fn has_ended(mut self) {
        let removal = self.removal();
        tokio::spawn(async move {
            tokio::time::sleep(LAST_MOMENT).await;
            removal.await;
        });
    }

    /// What removes it, to be run by somebody who goes on.
    fn removal(&mut self) -> impl Future<Output = ()> + Send + use<> {
        let (docker, id) = (self.docker.clone(), std::mem::take(&mut self.id));
        async move { remove(&docker, id).await }
    }
}

/// Ends a container and waits for that; the engine may be at it already.
pub(crate) async fn remove(docker: &Docker, id: String) {
    let force = RemoveContainerOptions { force: true, v: true, ..RemoveContainerOptions::default() };
    match docker.remove_container(&id, Some(force)).await {
        Ok(()) | Err(Error::DockerResponseServerError { status_code: 404 | 409, .. }) => {}
        Err(error) => tracing::error!(id, %error, "a container could not be removed; the next start removes it"),
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
    pub(crate) fn stock(&self) -> Stock {
        let [warm, cold] = &*self.counts;
        let ready = self.lock().values().map(|kind| kind.ready.len() as u64).sum();
        Stock { ready, warm: warm.load(Ordering::Relaxed), cold: cold.load(Ordering::Relaxed) }
    }

    /// Whether the engine answers.
    pub(crate) async fn ping(&self) -> Result<(), Error> {
        self.docker.ping().await.map(drop)
    }

    /// A container for one run.
    pub(crate) async fn take(&self, body: ContainerCreateBody) -> Result<Container, Error> {
        if self.idle == 0 {
            return self.make(body).await;
        }
        // As a value first: its maps are in order, so that the same description is the same text.
        let kind = serde_json::to_value(&body).map(|value| value.to_string()).unwrap_or_default();
        let ready = self.lock().get_mut(&kind).and_then(|kind| kind.ready.pop());
        tokio::spawn(self.clone().fill(kind, body.clone()));
        if let Some(container) = ready {
            // One that does not go on, as after a restart of the engine, is dropped.
            if self.docker.unpause_container(&container.id).await.is_ok() {
                self.count(0);
                return Ok(container);
            }
        }
        self.make(body).await
    }

    /// Makes a container on a task of its own: a request that is given up half-way could leave one that nobody knows.
    pub(crate) async fn make(&self, body: ContainerCreateBody) -> Result<Container, Error> {
        self.count(1);
        let docker = self.docker.clone();
        let made = tokio::spawn(async move { Container::start(&docker, body).await });
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
                let container = Container::start(&self.docker, body.clone()).await?;
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
