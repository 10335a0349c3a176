//! Identities: which subject calls, and may it?

mod jwt;
mod keys;
mod rates;

pub use keys::NewKey;
pub(crate) use keys::create;

use crate::config::Config;
use crate::error::{Code, ServiceError};
use crate::records::Records;
use crate::scope::Scope;
use crate::subject_quotas::SubjectQuotas;
use glovebox_policy::Subject;
use jwt::Tokens;
use keys::KeyRing;
use rates::RateLimiter;
use std::sync::Arc;

/// The caller of a request: subject and scopes.
#[derive(Clone, Debug)]
pub struct Caller {
    /// The subject.
    pub subject: Subject,
    /// The permissions of its credentials.
    pub scopes: Vec<Scope>,
}

impl Caller {
    /// # Errors
    ///
    /// If the caller lacks the scope.
    pub fn needs(&self, scope: Scope) -> Result<(), ServiceError> {
        if self.scopes.contains(&scope) {
            return Ok(());
        }
        Err(ServiceError::new(
            Code::Forbidden,
            format!("the key lacks scope `{scope}`"),
        ))
    }
}

/// Whether callers without credentials are served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Anonymous {
    /// They are the subject `local`, with all scopes; only for a service that no other machine
    /// reaches.
    Local,
    /// They are refused.
    Refused,
}

/// The credentials of all callers. Cheap to clone.
#[derive(Clone)]
pub struct Identities(Arc<IdentityStore>);

struct IdentityStore {
    keys: KeyRing,
    tokens: Option<Tokens>,
    anonymous: Anonymous,
    rates: RateLimiter,
}

impl Identities {
    /// # Errors
    ///
    /// If the tokens of the config cannot be used.
    pub(crate) fn new(
        config: &Config,
        records: Records,
        of_subjects: Arc<SubjectQuotas>,
        anonymous: Anonymous,
    ) -> Result<Self, String> {
        Ok(Self(Arc::new(IdentityStore {
            keys: KeyRing::new(records),
            tokens: config.jwt.clone().map(Tokens::new).transpose()?,
            anonymous,
            rates: RateLimiter::new(of_subjects),
        })))
    }

    /// Returns the error of a caller without valid credentials.
    #[must_use]
    pub fn unauthenticated() -> ServiceError {
        ServiceError::new(
            Code::Unauthenticated,
            "send a valid API key as `Authorization: Bearer gbx_..`; `glovebox keys create` makes one",
        )
    }

    /// Returns the caller with these credentials, an API key or a token.
    ///
    /// # Errors
    ///
    /// If they are not valid.
    pub async fn caller(&self, credentials: Option<&str>) -> Result<Caller, ServiceError> {
        let store = &*self.0;
        let Some(secret) = credentials else {
            return match store.anonymous {
                Anonymous::Local => Ok(Caller {
                    subject: Subject::local(),
                    scopes: Scope::ALL.to_vec(),
                }),
                Anonymous::Refused => Err(Self::unauthenticated()),
            };
        };
        match &store.tokens {
            Some(tokens) if secret.bytes().filter(|byte| *byte == b'.').count() == 2 => {
                Box::pin(tokens.holder(secret)).await.map_err(|reason| {
                    ServiceError::new(Code::Unauthenticated, format!("invalid token: {reason}"))
                })
            }
            _ => store
                .keys
                .holder(secret)
                .await?
                .ok_or_else(Self::unauthenticated),
        }
    }

    /// Counts a request of a subject.
    ///
    /// # Errors
    ///
    /// If it has sent more than it may.
    pub fn check_rate(&self, subject: &Subject) -> Result<(), ServiceError> {
        self.0.rates.check(subject)
    }

    /// Drops the rates of subjects that have not called for a while.
    pub(crate) fn forget(&self) {
        self.0.rates.forget();
    }
}
