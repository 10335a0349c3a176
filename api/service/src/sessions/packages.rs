//! Packages of a session: how do clients list and change them?

use super::Sessions;
use super::open_session::bodies;
use crate::error::ServiceError;
use crate::identities::Caller;
use crate::scope::Scope;
use crate::usage::UsageCharge;
use futures_util::future::BoxFuture;
use glovebox::{Error, LockedPackage, OpenError, RequestError};
use glovebox_wire::outcome::PackageBody;
use std::sync::Arc;

/// A change of a session's packages.
pub enum PackageChange {
    /// Adds packages, by their requirements.
    Add(Vec<String>),
    /// Removes a package, by its name.
    Remove(String),
}

impl Sessions {
    /// Returns the packages of a session.
    ///
    /// # Errors
    ///
    /// If there is no session with this id.
    pub fn packages(
        &self,
        caller: &Caller,
        id: &str,
    ) -> Result<Vec<PackageBody<'static>>, ServiceError> {
        Ok(self.0.get(&caller.subject, id)?.packages())
    }

    /// Changes the packages of a session; returns all that it has now.
    ///
    /// # Errors
    ///
    /// If the session is busy, does not have what is to be removed, or the packages are denied or
    /// cannot be resolved.
    pub async fn change_packages(
        &self,
        caller: &Caller,
        id: &str,
        change: PackageChange,
    ) -> Result<Vec<PackageBody<'static>>, ServiceError> {
        caller.needs(Scope::Run)?;
        let core = &self.0;
        let session = core.get(&caller.subject, id)?;
        let mut guest = session.take_guest()?;
        // Packages are inspected by guests, which take a slot and processors like any other.
        let _slot = core.queue.enter(&caller.subject, 0)?.slot().await;
        let charge = UsageCharge::new(&core.records, &caller.subject, Arc::clone(&session.tab));
        let changing: BoxFuture<'_, Result<&[LockedPackage], OpenError>> = match &change {
            PackageChange::Add(packages) => Box::pin(guest.install(packages)),
            PackageChange::Remove(name) => Box::pin(guest.uninstall(std::slice::from_ref(name))),
        };
        let changed = core
            .processors
            .share(caller.subject.clone(), changing)
            .await;
        let packages = bodies(changed.map_err(|error| match (&change, error) {
            (
                PackageChange::Remove(_),
                OpenError::Failed(Error::RequestInvalid(RequestError::NotInstalled { .. })),
            ) => ServiceError::not_found("package among those that were asked for"),
            (_, error) => error.into(),
        })?);
        charge.settle().await?;
        session.set_packages(guest.asked_packages().to_vec());
        session.update(&guest);
        Ok(packages)
    }
}
