//! Sessions: how does state last from one evaluation to the next?

use crate::allowance::Tab;
use crate::audit::RunAudit;
use crate::error::{EndReason, Error, RequestError};
use crate::executor::{Evaluation, Report, SessionHandle};
use crate::filesystem::FileEntry;
use crate::outcome::{Outcome, RunId, Status, Usage};
use crate::packages::{Lease, LockedPackage};
use crate::sandbox::{Controls, OpenError, Sandbox, outcome};
use glovebox_policy::Language;
use glovebox_policy::packages::Requirement;
use glovebox_policy::{Bound, Grant, Request, Source};
use std::collections::HashMap;
use std::ops::Range;
use std::sync::{Arc, PoisonError};

/// The longest name of a source in bytes.
const MAX_NAME: usize = 255;

/// Packages that a message names.
const MAX_SHOWN: usize = 20;

/// An instance that keeps its variables and files between evaluations. Ends when dropped.
///
/// Every evaluation has the limits of the grant anew. One that is cancelled or takes too long is
/// interrupted, and the session goes on. If it does not end by that within two seconds, it ends the
/// session, because its state is inconsistent; so does one that crashes the guest or, in the wasm
/// tier, reaches another limit.
pub struct Session {
    live: Box<dyn SessionHandle>,
    opened: OpenedSession,
}

/// The sandbox's state of a session.
pub(crate) struct OpenedSession {
    pub(crate) sandbox: Sandbox,
    pub(crate) id: RunId,
    /// The request that opened it, with the packages that were added since.
    pub(crate) request: Request,
    pub(crate) grant: Arc<Grant>,
    pub(crate) packages: Vec<LockedPackage>,
    /// Keeps the packages in the store.
    pub(crate) lease: Lease,
    pub(crate) audit: Option<RunAudit>,
    /// The usage besides its evaluations that was not taken yet.
    pub(crate) tab: Tab,
}

impl Session {
    pub(crate) fn new(live: Box<dyn SessionHandle>, opened: OpenedSession) -> Self {
        Self { live, opened }
    }

    /// Returns the id of the session in the audit log.
    #[must_use]
    pub fn id(&self) -> RunId {
        self.opened.id
    }

    /// Returns the grant of the session.
    #[must_use]
    pub fn grant(&self) -> &Grant {
        &self.opened.grant
    }

    /// Returns the packages that programs can import, including transitive dependencies.
    #[must_use]
    pub fn packages(&self) -> &[LockedPackage] {
        &self.opened.packages
    }

    /// Takes the usage of opening the session and of changing its packages, since the last call: no
    /// outcome of an evaluation has it. The same is in [`Controls::spent`], if the session was
    /// opened with one.
    pub fn take_preparation(&mut self) -> Usage {
        std::mem::take(
            &mut self
                .opened
                .tab
                .lock()
                .unwrap_or_else(PoisonError::into_inner),
        )
    }

    /// Returns the requirements of packages, as they were given.
    #[must_use]
    pub fn asked_packages(&self) -> &[String] {
        &self.opened.request.wants.packages
    }

    /// Adds packages by their requirements: `rich`, `requests==2.32.*`. A requirement for the same
    /// package is replaced. Imported modules stay as they are.
    ///
    /// # Errors
    ///
    /// [`OpenError::Denied`] if the policy denies them, or they need another tier; then nothing
    /// changes. Else if they could not be resolved or fetched.
    pub async fn install(&mut self, packages: &[String]) -> Result<&[LockedPackage], OpenError> {
        Bound::PACKAGES
            .check(packages.iter().map(String::as_str))
            .map_err(|error| Error::from(RequestError::from(error)))?;
        let mut request = self.opened.request.clone();
        let named: Vec<(Option<String>, &String)> = packages
            .iter()
            .map(|package| (self.name(package), package))
            .collect();
        // The last requirement of a package holds.
        let last: HashMap<&str, usize> = named
            .iter()
            .enumerate()
            .filter_map(|(at, (name, _))| Some((name.as_deref()?, at)))
            .collect();
        request.wants.packages.retain(|asked| {
            self.name(asked)
                .is_none_or(|name| !last.contains_key(name.as_str()))
        });
        for (at, (name, package)) in named.iter().enumerate() {
            if name
                .as_deref()
                .is_none_or(|name| last.get(name) == Some(&at))
            {
                request.wants.packages.push((*package).clone());
            }
        }
        self.change(request).await
    }

    /// Removes packages, and dependencies that only they had. Imported modules stay imported.
    ///
    /// # Errors
    ///
    /// [`Error::RequestInvalid`] if one of them was not asked for, else as [`Session::install`].
    pub async fn uninstall(&mut self, names: &[String]) -> Result<&[LockedPackage], OpenError> {
        Bound::PACKAGES
            .check(names.iter().map(String::as_str))
            .map_err(|error| Error::from(RequestError::from(error)))?;
        let mut request = self.opened.request.clone();
        let mut asked: Vec<_> = request
            .wants
            .packages
            .into_iter()
            .map(|asked| (self.name(&asked), asked))
            .collect();
        for name in names {
            let before = asked.len();
            let wanted = self.name(name);
            asked.retain(|(own, _)| wanted.is_none() || *own != wanted);
            if asked.len() == before {
                let shown: Vec<&str> = asked
                    .iter()
                    .map(|(_, asked)| asked.as_str())
                    .take(MAX_SHOWN)
                    .collect();
                let shown = if before == 0 {
                    "none".to_owned()
                } else {
                    shown.join(", ")
                };
                let missing = RequestError::NotInstalled {
                    name: name.clone(),
                    asked: shown,
                };
                return Err(Error::from(missing).into());
            }
        }
        request.wants.packages = asked.into_iter().map(|(_, asked)| asked).collect();
        self.change(request).await
    }

    async fn change(&mut self, request: Request) -> Result<&[LockedPackage], OpenError> {
        if !self.live.is_alive() {
            return Err(Error::SessionEnded(EndReason::Interrupted).into());
        }
        let opened = &mut self.opened;
        let update = opened
            .sandbox
            .update_packages(
                opened.id,
                opened.grant.tier(),
                request,
                Arc::clone(&opened.tab),
            )
            .await?;
        self.live.supply(update.tree.as_ref()).await?;
        opened.lease = update.tree.map(|tree| tree.lease).unwrap_or_default();
        opened.request = update.request;
        opened.grant = update.grant;
        opened.packages = update.packages;
        Ok(&opened.packages)
    }

    /// Returns the normalized name of a package.
    fn name(&self, requirement: &str) -> Option<String> {
        let ecosystem = Language::ecosystem_of(self.opened.grant.language())?;
        Requirement::parse(ecosystem, requirement)
            .ok()
            .map(|requirement| requirement.name().to_owned())
    }

    /// Returns whether the session accepts evaluations.
    #[must_use]
    pub fn is_alive(&self) -> bool {
        self.live.is_alive()
    }

    /// Evaluates a text.
    ///
    /// # Errors
    ///
    /// If the host failed, or the session has ended.
    pub async fn evaluate(&mut self, text: impl Into<String>) -> Result<Outcome, Error> {
        let name = Source::default_name(self.opened.grant.language()).to_owned();
        let source = Source {
            name,
            content: text.into().into_bytes().into(),
        };
        self.evaluate_with(source, Vec::new(), Vec::new(), Controls::default())
            .await
    }

    /// Evaluates a source with arguments, artifacts and controls.
    ///
    /// # Errors
    ///
    /// If the host failed, the source is larger than the grant allows, or the session has ended.
    pub async fn evaluate_with(
        &mut self,
        source: Source,
        arguments: Vec<String>,
        artifacts: Vec<String>,
        controls: Controls,
    ) -> Result<Outcome, Error> {
        self.check(&source, &arguments, &artifacts)?;
        let grant = Arc::clone(&self.opened.grant);
        let allowance = self
            .opened
            .sandbox
            .allowance(grant.subject(), Some(grant.limits()), &controls.stop)
            .noted(controls.spent);
        let id = controls.id.unwrap_or_else(RunId::random);
        let _place = tokio::select! {
            biased;
            // Nothing was evaluated, so the session is unchanged.
            () = controls.stop.cancelled() => {
                allowance.reported();
                return Ok(outcome(id, Report::new(Status::Cancelled), &self.opened.grant));
            }
            slot = self.opened.sandbox.acquire_slot(&self.opened.grant) => slot?,
        };
        let mut asked = Request::new(self.opened.grant.language(), Vec::new());
        asked.subject = self.opened.grant.subject().clone();
        asked.source = source;
        let inspected = self
            .opened
            .sandbox
            .inspect(&asked, &self.opened.grant, &allowance)
            .await?;
        if controls.stop.is_cancelled() {
            let mut outcome = outcome(id, Report::new(Status::Cancelled), &self.opened.grant);
            allowance.report_in(&mut outcome.usage);
            return Ok(outcome);
        }
        if let Some(audit) = &self.opened.audit {
            audit.subscribe(controls.events);
            audit.found(&inspected.findings)?;
        }
        let mut audit = self.opened.sandbox.evaluation_audit(id, &asked);
        if let Some(denial) = inspected.denial {
            audit.denied(&asked, &denial, grant.policy_digest())?;
            let mut outcome = outcome(id, Report::new(Status::Denied), &grant);
            outcome.policy.rules = vec![denial.rule.clone()];
            outcome.denial = Some(denial);
            outcome.findings = inspected.findings;
            allowance.report_in(&mut outcome.usage);
            return Ok(outcome);
        }
        audit.admitted(&asked, Some(self.opened.id), &grant)?;
        let source = asked.source;
        let evaluation = Evaluation {
            source,
            arguments,
            input: controls.input,
            output: controls.output,
            artifacts,
            stop: controls.stop,
            inspected: allowance.looks(),
        };
        let report = self.live.evaluate(evaluation).await;
        let report = report.inspect_err(|error| audit.aborted(&error.to_string()))?;
        let mut outcome = outcome(id, report, &self.opened.grant);
        outcome.findings = inspected.findings;
        outcome.packages.clone_from(&self.opened.packages);
        allowance.report_in(&mut outcome.usage);
        audit.finished(&outcome)?;
        if !self.live.is_alive()
            && let Some(mut audit) = self.opened.audit.take()
        {
            audit.finished(&outcome)?;
        }
        Ok(outcome)
    }

    /// Checks an evaluation against the grant's limits and the bounds of a request.
    fn check(
        &self,
        source: &Source,
        arguments: &[String],
        artifacts: &[String],
    ) -> Result<(), RequestError> {
        let limits = self.opened.grant.limits();
        let most = limits.source;
        if source.content.len() as u64 > most {
            let bytes = source.content.len();
            return Err(RequestError::Source { most, bytes });
        }
        if source.name.len() > MAX_NAME {
            return Err(RequestError::SourceName {
                most: MAX_NAME,
                bytes: source.name.len(),
            });
        }
        Bound::ARGUMENTS
            .check(arguments.iter().map(String::as_str))
            .and_then(|()| Bound::ARTIFACTS.check(artifacts.iter().map(String::as_str)))
            .map_err(RequestError::Bounds)?;
        // Measured as for a run: one byte more for each.
        let bytes: usize = arguments.iter().map(|argument| argument.len() + 1).sum();
        if bytes as u64 > limits.arguments {
            return Err(RequestError::Arguments {
                most: limits.arguments,
                bytes,
            });
        }
        Ok(())
    }

    /// Writes a file into the workspace.
    ///
    /// # Errors
    ///
    /// If the path leaves the workspace or the workspace is full.
    pub async fn put_file(
        &mut self,
        path: &str,
        content: impl Into<Arc<[u8]>>,
    ) -> Result<(), Error> {
        self.live.put_file(path, content.into()).await
    }

    /// Reads a file of the workspace.
    ///
    /// # Errors
    ///
    /// If there is no such regular file.
    pub async fn read_file(&mut self, path: &str) -> Result<Vec<u8>, Error> {
        self.live.read_file(path, 0..u64::MAX).await
    }

    /// Reads a range of a file of the workspace, as far as it exists.
    ///
    /// # Errors
    ///
    /// As [`Session::read_file`].
    pub async fn read_file_part(
        &mut self,
        path: &str,
        range: Range<u64>,
    ) -> Result<Vec<u8>, Error> {
        self.live.read_file(path, range).await
    }

    /// Returns the size of a file of the workspace in bytes.
    ///
    /// # Errors
    ///
    /// As [`Session::read_file`].
    pub async fn file_size(&mut self, path: &str) -> Result<u64, Error> {
        self.live.file_size(path).await
    }

    /// Lists a directory of the workspace; an empty path is the workspace itself.
    ///
    /// # Errors
    ///
    /// If there is no such directory.
    pub async fn list_files(&mut self, path: &str) -> Result<Vec<FileEntry>, Error> {
        self.live.list_files(path, None, usize::MAX).await
    }

    /// Lists at most `most` entries of a directory of the workspace in the order of their names,
    /// starting after a name.
    ///
    /// # Errors
    ///
    /// As [`Session::list_files`].
    pub async fn list_files_after(
        &mut self,
        path: &str,
        after: Option<&str>,
        most: usize,
    ) -> Result<Vec<FileEntry>, Error> {
        self.live.list_files(path, after, most).await
    }

    /// Removes a file or an empty directory of the workspace.
    ///
    /// # Errors
    ///
    /// If there is none, or it is not empty.
    pub async fn remove_file(&mut self, path: &str) -> Result<(), Error> {
        self.live.remove_file(path).await
    }

    /// Ends the session and records that in the audit log.
    ///
    /// # Errors
    ///
    /// If the record could not be written.
    pub fn close(mut self) -> Result<(), Error> {
        if let Some(mut audit) = self.opened.audit.take() {
            let report = Report {
                exit_code: Some(0),
                ..Report::new(Status::Succeeded)
            };
            audit.finished(&outcome(self.opened.id, report, &self.opened.grant))?;
        }
        Ok(())
    }
}
