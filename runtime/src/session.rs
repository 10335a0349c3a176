//! How does state last from one evaluation to the next?

use crate::audit::Trail;
use crate::error::Error;
use crate::executor::{Evaluation, LiveSession};
use crate::filesystem::FileEntry;
use crate::outcome::{Outcome, RunId};
use crate::sandbox::{Controls, Place, outcome};
use glovebox_policy::{Grant, Source};
use std::sync::Arc;
use std::time::Instant;

/// A place that keeps its variables and files. Ends when dropped.
///
/// Every evaluation has the limits of the grant anew. An evaluation that hits a limit, breaks the guest or is stopped ends the session,
/// because what it left is in the middle of something.
pub struct Session {
    id: RunId,
    live: Box<dyn LiveSession>,
    grant: Arc<Grant>,
    trail: Option<Trail>,
    _place: Place,
}

impl Session {
    pub(crate) fn new(id: RunId, live: Box<dyn LiveSession>, grant: Arc<Grant>, trail: Trail, place: Place) -> Self {
        Self { id, live, grant, trail: Some(trail), _place: place }
    }

    /// Names the session in the audit log.
    #[must_use]
    pub fn id(&self) -> RunId {
        self.id
    }

    /// What the session may do.
    #[must_use]
    pub fn grant(&self) -> &Grant {
        &self.grant
    }

    /// Whether it can go on.
    #[must_use]
    pub fn is_alive(&self) -> bool {
        self.live.is_alive()
    }

    /// Evaluates a text.
    ///
    /// # Errors
    ///
    /// Where the host failed, or the session has ended.
    pub async fn evaluate(&mut self, text: impl Into<String>) -> Result<Outcome, Error> {
        let name = Source::default_name(self.grant.language()).to_owned();
        let source = Source { name, content: text.into().into_bytes().into() };
        self.evaluate_with(source, Vec::new(), Vec::new(), Controls::default()).await
    }

    /// Evaluates a source with arguments, artifacts and controls.
    ///
    /// # Errors
    ///
    /// Where the host failed, the source is larger than the grant allows, or the session has ended.
    pub async fn evaluate_with(
        &mut self,
        source: Source,
        arguments: Vec<String>,
        artifacts: Vec<String>,
        controls: Controls,
    ) -> Result<Outcome, Error> {
        let most = self.grant.limits().source;
        if source.content.len() as u64 > most {
            return Err(Error::Invalid(format!("a source has at most {most} bytes here, not {}", source.content.len())));
        }
        let started = Instant::now();
        let evaluation = Evaluation { source, arguments, input: controls.input, output: controls.output, artifacts, stop: controls.stop };
        let report = self.live.evaluate(evaluation).await?;
        let mut outcome = outcome(self.id, report, &self.grant);
        outcome.usage.wall = started.elapsed();
        if !self.live.is_alive()
            && let Some(trail) = self.trail.take()
        {
            trail.finished(&outcome)?;
        }
        Ok(outcome)
    }

    /// Puts a file into the workspace.
    ///
    /// # Errors
    ///
    /// Where the path leaves the workspace or the workspace is full.
    pub fn put_file(&mut self, path: &str, content: impl Into<Arc<[u8]>>) -> Result<(), Error> {
        self.live.put_file(path, content.into())
    }

    /// Reads a file of the workspace.
    ///
    /// # Errors
    ///
    /// Where there is no such regular file.
    pub fn read_file(&mut self, path: &str) -> Result<Vec<u8>, Error> {
        self.live.read_file(path)
    }

    /// Lists a directory of the workspace; an empty path is the workspace itself.
    ///
    /// # Errors
    ///
    /// Where there is no such directory.
    pub fn list_files(&mut self, path: &str) -> Result<Vec<FileEntry>, Error> {
        self.live.list_files(path)
    }

    /// Removes a file or an empty directory of the workspace.
    ///
    /// # Errors
    ///
    /// Where there is none, or it is not empty.
    pub fn remove_file(&mut self, path: &str) -> Result<(), Error> {
        self.live.remove_file(path)
    }

    /// Ends the session and says so in the audit log.
    ///
    /// # Errors
    ///
    /// Where the end could not be written.
    pub fn close(mut self) -> Result<(), Error> {
        if let Some(trail) = self.trail.take() {
            let report = crate::executor::Report { exit_code: Some(0), ..crate::executor::Report::new(crate::outcome::Status::Succeeded) };
            trail.finished(&outcome(self.id, report, &self.grant))?;
        }
        Ok(())
    }
}
