//! Plan of a container: what is prepared for a run or a session before there is a container?

use crate::container::{MountSource, describe, identities, memory_limit, mount_sources};
use crate::egress::EgressSocket;
use crate::engine::Containers;
use crate::images::image_of;
use crate::job::{Job, JobMessage, Program, message};
use crate::pool::{Container, Order, Pool, Reservation};
use crate::protocol::{EGRESS_MOUNT, WorkspaceArchive, has_egress, reply_limit};
use crate::transform::{Importable, Script, Scripts, may_need_compiler};
use globset::GlobSet;
use glovebox::{Error, Evaluation, Hold, RunSetup, artifact_globs};
use glovebox_policy::Grant;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Timeout of starting a container; bounds how long the caller waits for the run.
pub(crate) const CREATE_TIMEOUT: Duration = Duration::from_secs(30);

/// Timeout of waiting for free memory.
const MEMORY_TIMEOUT: Duration = Duration::from_secs(5);

/// Polling interval of that wait.
const MEMORY_POLL_INTERVAL: Duration = Duration::from_millis(20);

impl Containers {
    /// Prepares a run, or a session if there is no evaluation: everything that needs no container
    /// yet.
    pub(crate) fn plan(
        &self,
        pool: &Pool,
        setup: &RunSetup,
        evaluation: Option<&Evaluation>,
    ) -> Result<RunPlan, Error> {
        let grant = &setup.grant;
        let image = image_of(grant.language()).ok_or_else(|| {
            Error::unsupported(format!("no container runs `{}`", grant.language()))
        })?;
        let artifacts = evaluation.map_or_else(Vec::new, |run| run.artifacts.clone());
        let patterns = artifact_globs(&artifacts)?;
        let archive = WorkspaceArchive::of(&patterns);
        let local_ca = if grant.network().is_empty() {
            None
        } else {
            Some(self.inner.local_ca().map_err(Error::executor)?)
        };
        let egress = if has_egress(grant) {
            let egress = EgressSocket::open(setup.host_calls(), local_ca.clone());
            Some(egress.map_err(|error| Error::executor(error.to_string()))?)
        } else {
            None
        };
        let mounts = mount_sources(grant)?;
        let scripts = self.scripts(setup, evaluation)?;
        // A driver makes it for a program that asks for its own text.
        let own_file = evaluation
            .map(|evaluation| &evaluation.source)
            .filter(|source| setup.files.iter().all(|file| file.path != source.name))
            .map(|source| (source.name.clone(), Arc::clone(&source.content)));
        let job = Job {
            program: evaluation.map(|evaluation| Program {
                source: &evaluation.source,
                arguments: &evaluation.arguments,
            }),
            files: &setup.files,
            mounts: &mounts,
            scripts: &scripts,
        };
        let local_ca = local_ca.as_ref().map(|local_ca| local_ca.pem());
        let message = message(grant, job, archive, local_ca)?;
        let place = image.interpreter.map(|(_, folder)| folder);
        // Those of a session are put into a folder of its own, once there is a container.
        let is_changing = evaluation.is_none() && pool.settings.folders.is_some();
        let extra: Vec<_> = setup
            .packages
            .as_ref()
            .zip(place.filter(|_| !is_changing))
            .map(|(tree, folder)| (tree.path.as_path(), folder))
            .into_iter()
            .chain(
                egress
                    .as_ref()
                    .map(|egress| (egress.directory(), EGRESS_MOUNT)),
            )
            .collect();
        let body = describe(
            grant,
            &mounts,
            grant.image().unwrap_or(image.name),
            &extra,
            &pool.settings,
        );
        Ok(RunPlan {
            order: Order {
                body,
                packages: place.filter(|_| is_changing),
            },
            mounts,
            message,
            patterns,
            own_file,
            archive,
            egress,
            later: Scripts::has(grant.language()).then(|| Arc::clone(&self.inner.scripts)),
        })
    }

    /// Returns the scripts that a program is sent with; those of a session come with evaluations
    /// if they need more.
    fn scripts(
        &self,
        setup: &RunSetup,
        evaluation: Option<&Evaluation>,
    ) -> Result<Vec<Script>, Error> {
        let scripts = &self.inner.scripts;
        if !Scripts::has(setup.grant.language()) {
            return Ok(Vec::new());
        }
        let importable = if setup.grant.mounts().is_empty() && setup.packages.is_none() {
            Importable::Request
        } else {
            Importable::Others
        };
        let needs_compiler = evaluation.is_some_and(|evaluation| {
            may_need_compiler(&evaluation.source.content, &setup.files, importable)
        });
        let compiler = needs_compiler.then(|| scripts.compiler()).transpose()?;
        Ok([scripts.transform()?].into_iter().chain(compiler).collect())
    }
}

/// A run that was prepared.
pub(crate) struct RunPlan {
    pub(crate) order: Order,
    pub(crate) mounts: Vec<MountSource>,
    pub(crate) message: JobMessage,
    /// The artifacts that the request named.
    pub(crate) patterns: GlobSet,
    /// The path and the content of the program's own file, which is not an artifact.
    pub(crate) own_file: Option<(String, Arc<[u8]>)>,
    pub(crate) archive: WorkspaceArchive,
    /// Dropped at the end of the run.
    pub(crate) egress: Option<EgressSocket>,
    /// The scripts that evaluations of a session may need later.
    pub(crate) later: Option<Arc<Scripts>>,
}

impl RunPlan {
    /// Returns the memory of the container, and of its output and artifacts in this process.
    pub(crate) fn memory(&self, grant: &Grant) -> u64 {
        let reply = reply_limit(grant, self.archive) as u64;
        memory_limit(grant)
            .saturating_add(reply.saturating_mul(2))
            .saturating_add(grant.limits().output)
    }

    /// Starts the container. One with an egress proxy is created for its run, because the socket
    /// is part of its configuration.
    pub(crate) async fn start(
        &mut self,
        pool: &Pool,
        grant: &Grant,
        reservation: Reservation,
    ) -> Result<Container, Error> {
        let mut order = std::mem::take(&mut self.order);
        let is_single = self.egress.is_some();
        let mounts =
            identities(&self.mounts).map_err(|error| Error::executor(error.to_string()))?;
        let container = async {
            if let Some(image) = grant.image() {
                pool.cover_volumes(image, &mut order.body).await?;
            }
            let container = if is_single {
                pool.create(order, reservation).await
            } else {
                pool.take(order, &mounts, reservation).await
            };
            container.map_err(|error| error.to_string())
        };
        let reason = match tokio::time::timeout(CREATE_TIMEOUT, container).await {
            Ok(Ok(container)) => return Ok(container),
            Ok(Err(reason)) => reason,
            Err(_) => format!(
                "it created no container within {} s",
                CREATE_TIMEOUT.as_secs()
            ),
        };
        Err(Error::executor(match grant.image() {
            Some(image) => format!(
                "the container engine failed: {reason} (the policy pins the image {image}; `glovebox images list` shows those that exist)"
            ),
            None => format!("the container engine failed: {reason}"),
        }))
    }
}

/// Reserves the run's slot and the memory of its container. Waits a while for other runs to end,
/// because a container reserves all of its memory when it starts.
pub(crate) async fn reserve_memory(setup: &RunSetup, bytes: u64) -> Result<Hold, String> {
    let until = Instant::now() + setup.grant.limits().wall.min(MEMORY_TIMEOUT);
    loop {
        match setup.hold_with(bytes) {
            Err(_) if Instant::now() < until => tokio::time::sleep(MEMORY_POLL_INTERVAL).await,
            result => return result,
        }
    }
}
