//! Container pool: where do containers come from, and how are they disposed of?
//!
//! A container that was created ahead of its run is paused until then and takes no CPU time. None
//! is used twice.

use crate::container::{Settings, add_mount, cover_volumes};
use crate::docker::{create, remove};
use crate::package_folder::PackageFolder;
use bollard::Docker;
use bollard::container::{AttachContainerResults, LogOutput};
use bollard::errors::Error;
use bollard::models::ContainerCreateBody;
use bollard::query_parameters::{AttachContainerOptions, KillContainerOptions, StatsOptions};
use futures_util::{Stream, StreamExt as _};
use glovebox::{Hold, PoolStats};
use std::collections::HashMap;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::io::AsyncWrite;

/// Maximum kinds of runs with idle containers; each is a container configuration of its own.
const MAX_KINDS: usize = 16;

/// Timeout of waiting for a container's end before the run's outcome is returned.
const END_TIMEOUT: Duration = Duration::from_secs(2);

/// Timeout of a usage (`stats`) request to the engine.
const STATS_TIMEOUT: Duration = Duration::from_millis(1500);

/// Timeout of removing a container, counted from the time at which it ends by itself.
const REMOVE_TIMEOUT: Duration = Duration::from_secs(30);

/// The output stream of a container.
pub(crate) type ProgramOutput = Pin<Box<dyn Stream<Item = Result<LogOutput, Error>> + Send>>;

/// The standard input of a container.
pub(crate) type ProgramInput = Pin<Box<dyn AsyncWrite + Send>>;

/// A running container. Dropping it ends it.
pub(crate) struct Container {
    docker: Docker,
    /// Empty once another task is responsible for its removal.
    id: String,
    /// Released when the container is gone, not when the run's outcome is returned.
    reservation: Option<Reservation>,
    /// The folder of a session's packages, which is removed with the container.
    packages: Option<Arc<PackageFolder>>,
    pub(crate) output: Option<ProgramOutput>,
    pub(crate) input: Option<ProgramInput>,
}

/// The container that a run or a session needs.
#[derive(Clone, Default)]
pub(crate) struct Order {
    pub(crate) body: ContainerCreateBody,
    /// The place in the container for a folder of a session's packages.
    pub(crate) packages: Option<&'static str>,
}

/// The resources that a run holds for as long as its container exists.
pub(crate) struct Reservation {
    /// The run's concurrency slot and memory reservation.
    pub(crate) _hold: Hold,
    /// The time at which the watchdog inside the container ends it, should the engine fail to. A
    /// session ends with its stream, so it has none.
    pub(crate) ended_by: Option<Instant>,
}

/// The resource usage of a container, as its engine reports it. Zero means that it is not measured.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Usage {
    pub(crate) cpu: Duration,
    pub(crate) peak_memory: u64,
}

impl Usage {
    /// Returns whether all of it is measured.
    pub(crate) fn is_whole(self) -> bool {
        !self.cpu.is_zero() && self.peak_memory > 0
    }

    /// Completes it by another measurement.
    pub(crate) fn or(self, other: Self) -> Self {
        Self {
            cpu: if self.cpu.is_zero() {
                other.cpu
            } else {
                self.cpu
            },
            peak_memory: if self.peak_memory == 0 {
                other.peak_memory
            } else {
                self.peak_memory
            },
        }
    }
}

impl Container {
    async fn start(
        docker: &Docker,
        order: Order,
        settings: &Settings,
        reservation: Option<Reservation>,
    ) -> Result<Self, Error> {
        let Order { mut body, packages } = order;
        let packages = match settings.folders.as_ref().zip(packages) {
            Some((folders, place)) => {
                let folder = folders.create()?;
                add_mount(&mut body, (&folder.mounted(), place));
                Some(Arc::new(folder))
            }
            None => None,
        };
        let id = create(docker, body).await?;
        // From here on, dropping it removes the container.
        let mut container = Self {
            docker: docker.clone(),
            id,
            reservation,
            packages,
            output: None,
            input: None,
        };
        let options = AttachContainerOptions {
            stream: true,
            stdin: true,
            stdout: true,
            stderr: true,
            ..AttachContainerOptions::default()
        };
        let AttachContainerResults { output, input } = docker
            .attach_container(&container.id, Some(options))
            .await?;
        container.output = Some(output);
        container.input = Some(input);
        docker.start_container(&container.id, None).await?;
        Ok(container)
    }

    /// Ends the container and waits for that, with a timeout for an engine that does not answer.
    pub(crate) async fn end(mut self) {
        if tokio::time::timeout(END_TIMEOUT, tokio::spawn(self.removal()))
            .await
            .is_err()
        {
            tracing::warn!("the container engine is slow to end a container");
        }
    }

    /// Returns the folder of its packages, if they can change.
    pub(crate) fn packages(&self) -> Option<Arc<PackageFolder>> {
        self.packages.clone()
    }

    /// Ends the container in the background.
    pub(crate) fn end_in_background(mut self) {
        tokio::spawn(self.removal());
    }

    /// Returns the usage so far. The container is paused first, and is never resumed.
    pub(crate) fn usage(&self) -> impl Future<Output = Option<Usage>> + Send + use<> {
        let (docker, id) = (self.docker.clone(), self.id.clone());
        async move {
            let request = async {
                docker.pause_container(&id).await?;
                let options = StatsOptions {
                    stream: false,
                    one_shot: true,
                };
                docker.stats(&id, Some(options)).next().await.transpose()
            };
            let stats = tokio::time::timeout(STATS_TIMEOUT, request)
                .await
                .ok()?
                .ok()??;
            let (cpu, memory) = (
                stats.cpu_stats?.cpu_usage?.total_usage?,
                stats.memory_stats?,
            );
            Some(Usage {
                cpu: Duration::from_nanos(cpu),
                peak_memory: memory.max_usage.or(memory.usage)?,
            })
        }
    }

    /// Sends a signal to its main process.
    pub(crate) fn signal(&self, signal: &str) -> impl Future<Output = ()> + Send + use<> {
        let (docker, id) = (self.docker.clone(), self.id.clone());
        let options = KillContainerOptions {
            signal: signal.to_owned(),
        };
        async move {
            let request = docker.kill_container(&id, Some(options));
            match tokio::time::timeout(END_TIMEOUT, request).await {
                Ok(Ok(())) => {}
                Ok(Err(error)) => tracing::debug!(%error, "a container was not signalled"),
                Err(_) => tracing::warn!("the container engine is slow to signal a container"),
            }
        }
    }

    /// Returns the future that removes it, to be spawned or awaited.
    fn removal(&mut self) -> impl Future<Output = ()> + Send + use<> {
        let docker = self.docker.clone();
        let id = std::mem::take(&mut self.id);
        let reservation = self.reservation.take();
        let packages = self.packages.take();
        async move {
            let ended_by = reservation
                .as_ref()
                .and_then(|reservation| reservation.ended_by)
                .unwrap_or_else(Instant::now);
            remove(&docker, id, ended_by + REMOVE_TIMEOUT).await;
            drop((reservation, packages));
        }
    }
}

impl Drop for Container {
    fn drop(&mut self) {
        if self.id.is_empty() {
            return;
        }
        // Without a runtime, closing the stream ends the container.
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(self.removal());
        }
    }
}

fn lock<T>(value: &Mutex<T>) -> MutexGuard<'_, T> {
    value.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Creates containers, some of them ahead of time.
#[derive(Clone)]
pub(crate) struct Pool {
    docker: Docker,
    pub(crate) settings: Arc<Settings>,
    idle: usize,
    kinds: Arc<Mutex<HashMap<String, Kind>>>,
    /// Hits and misses of the pool.
    counts: Arc<[AtomicU64; 2]>,
    /// The volumes that pinned images declare, by the digests of the images.
    volumes: Arc<Mutex<HashMap<String, Vec<String>>>>,
}

/// The idle containers of one configuration.
#[derive(Default)]
struct Kind {
    ready: Vec<Container>,
    /// The number that is being created.
    pending: usize,
    /// The number of the last run of this kind.
    last: u64,
}

impl Pool {
    pub(crate) fn new(docker: Docker, settings: Settings, idle: usize) -> Self {
        Self {
            docker,
            settings: Arc::new(settings),
            idle,
            kinds: Arc::default(),
            counts: Arc::default(),
            volumes: Arc::default(),
        }
    }

    /// Returns the number of idle containers, and the hits and misses.
    pub(crate) fn stock(&self) -> PoolStats {
        let [warm, cold] = &*self.counts;
        let ready = self
            .lock()
            .values()
            .map(|kind| kind.ready.len() as u64)
            .sum();
        PoolStats {
            ready,
            warm: warm.load(Ordering::Relaxed),
            cold: cold.load(Ordering::Relaxed),
        }
    }

    /// Checks that the engine answers.
    pub(crate) async fn ping(&self) -> Result<(), Error> {
        self.docker.ping().await.map(drop)
    }

    /// Replaces the volumes that a pinned image declares by temporary file systems.
    ///
    /// # Errors
    ///
    /// If the image declares one at a path that cannot be mounted.
    pub(crate) async fn cover_volumes(
        &self,
        image: &str,
        body: &mut ContainerCreateBody,
    ) -> Result<(), String> {
        let known = lock(&self.volumes).get(image).cloned();
        let volumes = match known {
            Some(volumes) => volumes,
            None => {
                let found = self.docker.inspect_image(image).await;
                let found = found.map_err(|error| error.to_string())?;
                let volumes = found.config.and_then(|config| config.volumes);
                let volumes = volumes.unwrap_or_default();
                lock(&self.volumes).insert(image.to_owned(), volumes.clone());
                volumes
            }
        };
        cover_volumes(body, &volumes)
    }

    /// Takes a container for one run with these directories as its mounts.
    pub(crate) async fn take(
        &self,
        order: Order,
        mounts: &[Option<(u64, u64)>],
        reservation: Reservation,
    ) -> Result<Container, Error> {
        if self.idle == 0 {
            return self.create(order, reservation).await;
        }
        // Serialized by way of a value, whose maps are sorted, so that equal configurations are
        // equal texts. A directory that was replaced since is another kind.
        let kind = serde_json::to_value(&order.body)
            .map(|value| format!("{value} {mounts:?} {:?}", order.packages))
            .unwrap_or_default();
        let ready = self.lock().get_mut(&kind).and_then(|kind| kind.ready.pop());
        let number = self
            .counts
            .iter()
            .map(|count| count.load(Ordering::Relaxed));
        let number = number.sum();
        tokio::spawn(self.clone().fill(kind, order.clone(), number));
        if let Some(mut container) = ready {
            // One that cannot be resumed, as after a restart of the engine, is dropped.
            if self.docker.unpause_container(&container.id).await.is_ok() {
                self.count(0);
                container.reservation = Some(reservation);
                return Ok(container);
            }
        }
        self.create(order, reservation).await
    }

    /// Creates a container in a task of its own: a request that is cancelled half-way could leak
    /// one.
    pub(crate) async fn create(
        &self,
        order: Order,
        reservation: Reservation,
    ) -> Result<Container, Error> {
        self.count(1);
        let (docker, settings) = (self.docker.clone(), Arc::clone(&self.settings));
        let created = tokio::spawn(async move {
            Container::start(&docker, order, &settings, Some(reservation)).await
        });
        created.await.map_err(|error| Error::IOError {
            err: std::io::Error::other(error),
        })?
    }

    fn count(&self, which: usize) {
        if let Some(count) = self.counts.get(which) {
            count.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Kind>> {
        lock(&self.kinds)
    }

    /// Creates containers until enough are idle.
    async fn fill(self, kind: String, order: Order, number: u64) {
        while self.reserve(&kind, number) {
            let created = async {
                let container =
                    Container::start(&self.docker, order.clone(), &self.settings, None).await?;
                self.docker.pause_container(&container.id).await?;
                Ok::<_, Error>(container)
            };
            let created = created.await;
            let mut kinds = self.lock();
            let stock = kinds.entry(kind.clone()).or_default();
            stock.pending = stock.pending.saturating_sub(1);
            match created {
                Ok(container) => stock.ready.push(container),
                Err(error) => {
                    tracing::warn!(%error, "cannot create a container ahead of its run");
                    return;
                }
            }
        }
    }

    /// Reserves the creation of one more for the run of this number; returns whether there is room.
    /// The kind that was used longest ago gives way to a new one.
    fn reserve(&self, kind: &str, number: u64) -> bool {
        let mut kinds = self.lock();
        if !kinds.contains_key(kind) && kinds.len() >= MAX_KINDS {
            let idle = kinds.iter().filter(|(_, kind)| kind.pending == 0);
            let Some((oldest, _)) = idle.min_by_key(|(_, kind)| kind.last) else {
                return false;
            };
            let oldest = oldest.clone();
            kinds.remove(&oldest);
        }
        let kind = kinds.entry(kind.to_owned()).or_default();
        kind.last = number;
        let may = kind.ready.len() + kind.pending < self.idle;
        kind.pending += usize::from(may);
        may
    }
}
