//! Instance of a guest: how does it evaluate programs and keep their files?

use super::collect::Collecting;
use super::interrupt::Interrupter;
use super::layouts::{no_place, package_archive};
use super::race::{CallBounds, Ending, race};
use super::report::{completed, finish};
use crate::account::SharedHold;
use crate::contract::{self, exports::glovebox::guest::interpreter};
use crate::engine::Metering;
use crate::error::{EndReason, Error, RequestError};
use crate::executor::{Evaluation, Report, SessionHandle, artifact_globs};
use crate::filesystem::{FileEntry, FilesystemError};
use crate::limiter::WholeImage;
use crate::memory::GuestWords;
use crate::meter;
use crate::packages::PackageTree;
use crate::state::RunState;
use crate::stdio::{GuestInput, Outputs};
use async_trait::async_trait;
use globset::GlobSet;
use glovebox_policy::Grant;
use std::ops::Range;
use std::pin::pin;
use std::sync::Arc;
use std::time::Instant;
use wasmtime::Store;

/// An instantiated guest.
pub(super) struct Instance {
    pub(super) store: Store<RunState>,
    pub(super) guest: contract::Guest,
    pub(super) outputs: Outputs,
    pub(super) input: GuestInput,
    pub(super) grant: Arc<Grant>,
    pub(super) metering: Metering,
    /// The packages' path in the guest.
    pub(super) packages: Option<String>,
    pub(super) image: WholeImage,
    /// For a session.
    pub(super) interrupter: Option<Interrupter>,
    /// Dropped after the store, and so after its memory.
    pub(super) _held: SharedHold,
    /// No evaluation has begun yet.
    pub(super) fresh: bool,
    /// No evaluation follows the next one: a run, not a session.
    pub(super) is_last: bool,
    pub(super) alive: bool,
    pub(super) reported_calls: u64,
}

#[async_trait]
impl SessionHandle for Instance {
    async fn evaluate(&mut self, evaluation: Evaluation) -> Result<Report, Error> {
        if !self.alive {
            return Err(Error::SessionEnded(EndReason::Interrupted));
        }
        let globs = artifact_globs(&evaluation.artifacts)?;
        let used = evaluation.inspected;
        let limits = self.grant.limits().after(used.wall, used.fuel);
        self.outputs.restart(&limits, evaluation.output);
        self.input.restart(evaluation.input);
        self.restart(limits.fuel)?;
        let text = String::from_utf8(evaluation.source.content.to_vec()).map_err(|_| {
            RequestError::SourceText {
                name: evaluation.source.name.clone(),
            }
        })?;
        let seed = self
            .fresh
            .then(|| self.grant.seed().unwrap_or_else(rand::random));
        // The guest may put the program there while it runs, and a limit keeps it from removing it.
        let own_file = own_file(&self.store, &evaluation.source.name, &globs);
        let source = interpreter::Source {
            name: evaluation.source.name,
            language: self.grant.language().to_owned(),
            text,
            arguments: evaluation.arguments,
            environment: self.grant.environment().to_vec(),
            seed,
            is_last: self.is_last,
        };
        self.fresh = false;
        // A future that is dropped half-way leaves the instance in an inconsistent state: dead
        // until proven otherwise.
        self.alive = false;
        let began = Instant::now();
        let deadline = began.checked_add(limits.wall).unwrap_or(began);
        self.store.data_mut().calls.restart(deadline);
        let (ending, cpu) = {
            // Pinned in place: passing them by value would copy them, and they are large.
            let call = pin!(
                self.guest
                    .glovebox_guest_interpreter()
                    .call_evaluate(&mut self.store, &source)
            );
            let call = pin!(self.image.counted(call));
            let bounds = CallBounds {
                metering: self.metering,
                wall: limits.wall,
                stop: &evaluation.stop,
                interrupter: self.interrupter.as_ref(),
            };
            race(call, bounds).await
        };
        let mut report = self.report(ending, limits.fuel);
        report.usage.cpu = cpu;
        let state = self.store.data_mut();
        state.calls.abandon();
        let collecting = Collecting {
            globs: &globs,
            bytes: limits.workspace,
            metering: self.metering,
            wall: limits.wall,
            stop: &evaluation.stop,
        };
        collecting
            .collect(&mut report, (&state.files, state.memory.hold()), began)
            .await;
        if let Some(path) = own_file
            && !self.alive
        {
            report.artifacts.retain(|artifact| {
                artifact.path != path || artifact.content != source.text.as_bytes()
            });
        }
        Ok(report)
    }

    async fn put_file(&mut self, path: &str, content: Arc<[u8]>) -> Result<(), Error> {
        self.store
            .data_mut()
            .files
            .put(path, bytes::Bytes::from_owner(content))
            .map_err(file_error)
    }

    async fn read_file(&mut self, path: &str, range: Range<u64>) -> Result<Vec<u8>, Error> {
        self.store
            .data()
            .files
            .read(path, range)
            .map_err(file_error)
    }

    async fn file_size(&mut self, path: &str) -> Result<u64, Error> {
        self.store.data().files.size(path).map_err(file_error)
    }

    async fn list_files(
        &mut self,
        path: &str,
        after: Option<&str>,
        most: usize,
    ) -> Result<Vec<FileEntry>, Error> {
        self.store
            .data()
            .files
            .list(path, after, most)
            .map_err(file_error)
    }

    async fn remove_file(&mut self, path: &str) -> Result<(), Error> {
        self.store.data_mut().files.remove(path).map_err(file_error)
    }

    async fn supply(&mut self, packages: Option<&PackageTree>) -> Result<(), Error> {
        let place = self
            .packages
            .as_deref()
            .ok_or_else(|| no_place(&self.grant))?;
        let archive = package_archive(packages)?;
        self.store
            .data_mut()
            .files
            .replace_archive(place, &archive)
            .map_err(file_error)
    }

    fn is_alive(&self) -> bool {
        self.alive
    }
}

impl Instance {
    /// Forgets what an earlier evaluation used.
    fn restart(&mut self, fuel: u64) -> Result<(), Error> {
        let state = self.store.data_mut();
        state.files.forget_quota_hit();
        state.memory.take_refusal();
        state.meter.take();
        state.pace.restart();
        if self.metering == Metering::Fuel {
            self.store.set_fuel(fuel)?;
        }
        Ok(())
    }

    /// Makes its evaluations end so that the session lives on; without this, one that has to end
    /// ends the session.
    pub(super) async fn make_interruptible(&mut self, words: GuestWords) -> Result<(), Error> {
        let places = self
            .guest
            .glovebox_guest_interpreter()
            .call_interrupt(&mut self.store)
            .await?;
        let wake_up = self.store.data().wake_up.clone();
        let outputs = self.outputs.clone();
        self.interrupter = Some(Interrupter::new(words, places, wake_up, outputs));
        Ok(())
    }

    fn report(&mut self, ending: Ending<interpreter::Completion>, fuel: u64) -> Report {
        self.alive = matches!(
            ending,
            Ending::Returned(Ok(_)) | Ending::Interrupted(_, Ok(_))
        );
        let most = self.grant.limits().value;
        let mut report = ending.report(|completion| completed(completion, most));
        let fuel = meter::spent(&self.store, fuel);
        let made_before = self.reported_calls;
        let state = self.store.data_mut();
        self.reported_calls = state.calls.made();
        finish(&mut report, state, &self.outputs, fuel);
        report.usage.host_calls -= made_before;
        report
    }
}

/// Returns the path of the program's own file in the workspace, if it would be an artifact and
/// there is no file yet.
fn own_file(store: &Store<RunState>, name: &str, globs: &GlobSet) -> Option<String> {
    let is_free = globs.is_match(name) && store.data().files.size(name).is_err();
    is_free.then(|| name.to_owned())
}

fn file_error(error: FilesystemError) -> Error {
    RequestError::File(error).into()
}
