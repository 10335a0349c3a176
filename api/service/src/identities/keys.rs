//! API keys: which subject holds which key?
//!
//! A key is 256 random bits behind a public number. Only the digest of the bits is stored, and it
//! is compared in constant time; bits of that entropy need no slow password hash.

use super::Caller;
use crate::records::rows::KeyRow;
use crate::records::{Records, now_ms};
use crate::scope::Scope;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use glovebox_policy::Subject;
use glovebox_wire::sha256;
use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::{Duration, Instant};
use subtle::ConstantTimeEq as _;

/// Prefix of every key, so that secret scanners recognize leaked ones.
const PREFIX: &str = "gbx_";

/// Maximum time for which this process may still accept a revoked key.
const CACHE_TTL: Duration = Duration::from_secs(2);

/// Minimum interval between two lookups of an unknown key; protects the database from guesses.
const MIN_LOOKUP_INTERVAL: Duration = Duration::from_millis(250);

/// A key that was just created: the only time at which its secret is known.
pub struct NewKey {
    /// The public id, by which it is revoked.
    pub id: String,
    /// The full text of the key.
    pub secret: String,
}

impl fmt::Debug for NewKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NewKey({})", self.id)
    }
}

/// Creates a key and stores its digest.
pub(crate) async fn create(
    store: &Records,
    subject: &Subject,
    scopes: &[Scope],
    lifetime: Option<Duration>,
) -> Result<NewKey, sqlx::Error> {
    let id = format!("{:016x}", rand::random::<u64>());
    let secret = format!(
        "{PREFIX}{id}_{}",
        URL_SAFE_NO_PAD.encode(rand::random::<[u8; 32]>())
    );
    let now = now_ms();
    let lifetime = lifetime.map(|lifetime| i64::try_from(lifetime.as_millis()).unwrap_or(i64::MAX));
    let row = KeyRow {
        id: id.clone(),
        subject: subject.to_string(),
        secret_sha256: sha256(&secret),
        scopes: scopes
            .iter()
            .map(|scope| scope.name())
            .collect::<Vec<_>>()
            .join(" "),
        created_ms: now,
        expires_ms: lifetime.map(|lifetime| now.saturating_add(lifetime)),
        revoked_ms: None,
    };
    store.add_key(&row).await?;
    Ok(NewKey { id, secret })
}

/// Cache of the keys in the database.
pub(crate) struct KeyRing {
    store: Records,
    keys: RwLock<Arc<HashMap<String, KeyRow>>>,
    looked: Mutex<Option<Instant>>,
    looking: tokio::sync::Mutex<()>,
}

impl KeyRing {
    pub(crate) fn new(store: Records) -> Self {
        Self {
            store,
            keys: RwLock::default(),
            looked: Mutex::default(),
            looking: tokio::sync::Mutex::default(),
        }
    }

    /// Returns the holder of a key; `None` if it is unknown, revoked or expired.
    pub(crate) async fn holder(&self, secret: &str) -> Result<Option<Caller>, sqlx::Error> {
        let id = secret
            .strip_prefix(PREFIX)
            .and_then(|rest| rest.split_once('_'))
            .map_or("", |(id, _)| id);
        if self.is_older_than(CACHE_TTL) {
            Box::pin(self.look()).await?;
        }
        if !self.known().contains_key(id) {
            // It may have been created a moment ago. Requests with guessed keys wait, and share one
            // lookup.
            tokio::time::sleep(MIN_LOOKUP_INTERVAL).await;
            Box::pin(self.look()).await?;
        }
        let known = self.known();
        let key = known.get(id);
        // Constant work whether the key exists or not.
        let expected = key.map_or_else(|| "0".repeat(64), |key| key.secret_sha256.clone());
        let fits: bool = sha256(secret).as_bytes().ct_eq(expected.as_bytes()).into();
        let now = now_ms();
        let valid = key.filter(|key| {
            fits && key.revoked_ms.is_none() && key.expires_ms.is_none_or(|end| now < end)
        });
        Ok(valid.and_then(|key| {
            let subject = Subject::new(key.subject.clone()).ok()?;
            Some(Caller {
                subject,
                scopes: key
                    .scopes
                    .split(' ')
                    .filter_map(|name| name.parse().ok())
                    .collect(),
            })
        }))
    }

    fn known(&self) -> Arc<HashMap<String, KeyRow>> {
        Arc::clone(&self.keys.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn is_older_than(&self, age: Duration) -> bool {
        self.looked
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .is_none_or(|looked| looked.elapsed() > age)
    }

    async fn look(&self) -> Result<(), sqlx::Error> {
        let _one = self.looking.lock().await;
        // Another request has reloaded the keys meanwhile.
        if !self.is_older_than(MIN_LOOKUP_INTERVAL / 2) {
            return Ok(());
        }
        let keys = self
            .store
            .keys()
            .await?
            .into_iter()
            .map(|key| (key.id.clone(), key))
            .collect();
        *self.keys.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(keys);
        *self.looked.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
        Ok(())
    }
}
