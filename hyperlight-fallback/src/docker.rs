//! Engine client: how is the container engine reached, and how are containers removed from it?

use crate::owner::{LABEL_OWNER, is_orphan, owner_suffix};
use bollard::Docker;
use bollard::errors::Error;
use bollard::models::ContainerCreateBody;
use bollard::query_parameters::{
    CreateContainerOptions, ListContainersOptions, RemoveContainerOptions,
};
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use tokio::sync::RwLock;

/// Timeout of removing orphaned containers.
pub(crate) const REAP_TIMEOUT: Duration = Duration::from_secs(5);

/// Interval at which this process looks for containers that other processes orphaned.
const REAP_INTERVAL: Duration = Duration::from_secs(60);

/// Polling interval while the engine removes a container.
const REMOVE_POLL_INTERVAL: Duration = Duration::from_millis(20);

/// Retry interval while the engine fails.
const REMOVE_RETRY_INTERVAL: Duration = Duration::from_secs(1);

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

/// Kills a container and waits until it is removed, at most until `until` if the engine fails.
pub(crate) async fn remove(docker: &Docker, id: String, until: Instant) {
    loop {
        let force = RemoveContainerOptions {
            force: true,
            v: true,
            ..RemoveContainerOptions::default()
        };
        let pause = match docker.remove_container(&id, Some(force)).await {
            Ok(())
            | Err(Error::DockerResponseServerError {
                status_code: 404, ..
            }) => return,
            // The engine is already removing it.
            Err(Error::DockerResponseServerError {
                status_code: 409, ..
            }) => REMOVE_POLL_INTERVAL,
            Err(error) if Instant::now() + REMOVE_RETRY_INTERVAL < until => {
                tracing::debug!(id, %error, "a container is not removed yet");
                REMOVE_RETRY_INTERVAL
            }
            Err(error) => {
                tracing::error!(id, %error, "cannot remove a container; the next start removes it");
                return;
            }
        };
        if Instant::now() > until {
            tracing::error!(id, "the engine did not finish removing a container");
            return;
        }
        tokio::time::sleep(pause).await;
    }
}

/// Set when this process has created a container.
static HAS_CONTAINERS: AtomicBool = AtomicBool::new(false);

/// Locked for reading while a container is created. True once the process ends and creates none.
static ENDING: RwLock<bool> = RwLock::const_new(false);

/// Creates a container and returns its id.
///
/// # Errors
///
/// Those of the engine, and one once [`remove_own_containers`] was called.
pub(crate) async fn create(docker: &Docker, body: ContainerCreateBody) -> Result<String, Error> {
    let ending = ENDING.read().await;
    if *ending {
        let message = "the process is ending and creates no containers";
        return Err(Error::IOError {
            err: std::io::Error::other(message),
        });
    }
    HAS_CONTAINERS.store(true, Ordering::Relaxed);
    let options = None::<CreateContainerOptions>;
    let created = docker.create_container(options, body).await?;
    Ok(created.id)
}

/// Removes the containers of this process, and waits for that, for its end: those that wait for a
/// run are paused and could not end by themselves. Afterwards this process creates none.
pub async fn remove_own_containers() {
    let removed = async {
        // Those that are being created are waited for: the engine lists them only afterwards.
        *ENDING.write().await = true;
        if !HAS_CONTAINERS.load(Ordering::Relaxed) {
            return Some(());
        }
        let docker = open().ok()?;
        let own = owner_suffix();
        for (id, label) in containers(&docker).await.ok()? {
            if label.ends_with(&own) {
                remove(&docker, id, Instant::now() + REAP_TIMEOUT).await;
            }
        }
        Some(())
    };
    if tokio::time::timeout(REAP_TIMEOUT, removed).await.is_err() {
        tracing::warn!("the container engine is slow to remove containers; the next start does it");
    }
}

/// Lists this project's containers: the id and the owner of each.
async fn containers(docker: &Docker) -> Result<Vec<(String, String)>, Error> {
    let filters = HashMap::from([("label".to_owned(), vec![LABEL_OWNER.to_owned()])]);
    let options = ListContainersOptions {
        all: true,
        filters: Some(filters),
        ..ListContainersOptions::default()
    };
    let found = docker.list_containers(Some(options)).await?;
    let owned = found.into_iter().filter_map(|container| {
        let label = container.labels.unwrap_or_default().remove(LABEL_OWNER);
        Some((container.id?, label.unwrap_or_default()))
    });
    Ok(owned.collect())
}

/// Removes the containers of processes that have ended.
pub(crate) async fn reap(docker: &Docker, owner: &str) -> Result<(), Error> {
    for (id, label) in containers(docker).await? {
        if is_orphan(&label, owner) {
            tracing::info!(id, "removing an orphaned container");
            remove(docker, id, Instant::now() + REAP_TIMEOUT).await;
        }
    }
    Ok(())
}

/// Removes orphaned containers periodically, for as long as this process has a runtime.
pub(crate) fn reap_periodically(docker: Docker, owner: String) {
    static RUNNING: AtomicBool = AtomicBool::new(false);
    if RUNNING.swap(true, Ordering::Relaxed) {
        return;
    }
    tokio::spawn(async move {
        // The runtime may end before the process does; the next tier that connects restarts the
        // task.
        let _stopped = Stopped;
        loop {
            tokio::time::sleep(REAP_INTERVAL).await;
            if let Err(error) = reap(&docker, &owner).await {
                tracing::debug!(%error, "cannot list orphaned containers");
            }
        }
    });

    struct Stopped;

    impl Drop for Stopped {
        fn drop(&mut self) {
            RUNNING.store(false, Ordering::Relaxed);
        }
    }
}
