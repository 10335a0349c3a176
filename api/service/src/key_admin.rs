//! Key administration: how does an operator make and revoke API keys?

use crate::identities::{self, NewKey};
use crate::records::rows::KeyRow;
use crate::records::{Purpose, Records, now_ms};
use crate::scope::Scope;
use crate::start_error::StartError;
use crate::state_folder::state_folder;
use glovebox_policy::Subject;
use glovebox_wire::timestamp;
use std::path::Path;
use std::time::Duration;

/// The keys of a state folder, for a caller that may write there.
pub struct Keys(Records);

/// An API key, without its secret.
#[derive(Clone, Debug)]
pub struct KeyInfo {
    /// Its public id.
    pub id: String,
    /// The subject that holds it.
    pub subject: String,
    /// Its scopes, separated by spaces.
    pub scopes: String,
    /// Creation time (RFC 3339).
    pub created_at: String,
    /// Expiry time (RFC 3339).
    pub expires_at: Option<String>,
    /// Whether it was revoked, or has expired.
    pub is_over: bool,
}

impl Keys {
    /// Opens the database of a service, whether it runs or not.
    ///
    /// # Errors
    ///
    /// If it cannot be used.
    pub async fn open(state: &Path, database: Option<&str>) -> Result<Self, StartError> {
        state_folder(state).map_err(|error| StartError::State(state.to_owned(), error))?;
        Ok(Self(Records::open(database, state, Purpose::Keys).await?))
    }

    /// Creates a key.
    ///
    /// # Errors
    ///
    /// If the database cannot be used.
    pub async fn create(
        &self,
        subject: &Subject,
        scopes: &[Scope],
        lifetime: Option<Duration>,
    ) -> Result<NewKey, StartError> {
        Ok(identities::create(&self.0, subject, scopes, lifetime).await?)
    }

    /// Returns all keys, revoked and expired ones included.
    ///
    /// # Errors
    ///
    /// If the database cannot be used.
    pub async fn list(&self) -> Result<Vec<KeyInfo>, StartError> {
        let now = now_ms();
        let info = |key: KeyRow| KeyInfo {
            id: key.id,
            subject: key.subject,
            scopes: key.scopes,
            created_at: timestamp(key.created_ms),
            expires_at: key.expires_ms.map(timestamp),
            is_over: key.revoked_ms.is_some() || key.expires_ms.is_some_and(|end| end <= now),
        };
        Ok(self.0.keys().await?.into_iter().map(info).collect())
    }

    /// Revokes a key; returns whether there was one.
    ///
    /// # Errors
    ///
    /// If the database cannot be used.
    pub async fn revoke(&self, id: &str) -> Result<bool, StartError> {
        Ok(self.0.revoke_key(id).await?)
    }
}
