//! JSON Web Tokens: which subject holds a token that an external issuer has signed?
//!
//! Tokens of one issuer, for one audience, verified with the public keys that the issuer publishes (JWKS). Only asymmetric signatures are
//! accepted: a verifier must not be able to sign.

use super::config::Jwt as Settings;
use super::keys::{Caller, Scope};
use super::outgoing::client;
use crate::error::chain;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use glovebox::policy::Subject;
use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::jwk::{AlgorithmParameters, Jwk, JwkSet};
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use serde::Deserialize;
use serde_json::Value;
use std::str::FromStr as _;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::{Duration, Instant};

/// Bytes of a set of keys.
const MAX_KEYS: usize = 1 << 20;

/// How long keys are taken for valid without asking again.
const FRESH: Duration = Duration::from_secs(600);

/// The least time between two looks, whatever is asked for; protects the issuer from guesses.
const PAUSE: Duration = Duration::from_secs(10);

/// How far clocks may be apart, in seconds.
const LEEWAY: u64 = 30;

/// What is read of a token besides what is checked anyway.
#[derive(Deserialize)]
struct Claims {
    #[serde(default)]
    scope: Option<Value>,
    #[serde(flatten)]
    others: serde_json::Map<String, Value>,
}

/// Tokens of one issuer.
#[derive(Clone)]
pub(super) struct Tokens(Arc<Inner>);

struct Inner {
    settings: Settings,
    client: reqwest::Client,
    keys: RwLock<Arc<JwkSet>>,
    looked: Mutex<Option<Instant>>,
    /// When the keys were read for the last time.
    read: Mutex<Option<Instant>>,
    looking: tokio::sync::Mutex<()>,
}

impl Tokens {
    pub(super) fn new(settings: Settings) -> Result<Self, String> {
        let inner = Inner {
            settings,
            client: client()?,
            keys: RwLock::new(Arc::new(JwkSet { keys: Vec::new() })),
            looked: Mutex::default(),
            read: Mutex::default(),
            looking: Default::default(),
        };
        Ok(Self(Arc::new(inner)))
    }

    /// Who holds a token.
    ///
    /// # Errors
    ///
    /// Why nobody does.
    pub(super) async fn holder(&self, token: &str) -> Result<Caller, &'static str> {
        let header = decode_header(token).map_err(|_| "it is no token")?;
        if has_critical_parameters(token) {
            return Err("its header demands extensions (`crit`) that are not understood here");
        }
        let mut key = self.0.key(header.kid.as_deref(), header.alg);
        let is_usable = key.is_some() && !self.0.is_stale();
        if self.0.is_older_than(if is_usable { FRESH.min(self.0.settings.keys_max_age) } else { self.0.pause() }) {
            // On a task of its own: whoever goes away must not make the next one ask again.
            let inner = Arc::clone(&self.0);
            let looking = tokio::spawn(async move { inner.look().await });
            // The issuer may have begun to use another key; a known one is good enough meanwhile.
            if !is_usable {
                let _ = looking.await;
                key = self.0.key(header.kid.as_deref(), header.alg);
            }
        }
        if self.0.is_stale() {
            return Err("the issuer's keys could not be read for longer than `jwt.keys_max_age`");
        }
        let key = key.ok_or("none of the issuer's keys has signed it")?;
        let mut wanted = Validation::new(header.alg);
        wanted.leeway = LEEWAY;
        wanted.validate_nbf = true;
        wanted.set_issuer(&[&self.0.settings.issuer]);
        wanted.set_audience(&[&self.0.settings.audience]);
        wanted.set_required_spec_claims(&["exp", "iss", "aud"]);
        let token = decode::<Claims>(token, &key, &wanted).map_err(|error| match error.kind() {
            ErrorKind::ExpiredSignature => "the token has expired",
            ErrorKind::ImmatureSignature => "the token is not valid yet",
            ErrorKind::InvalidIssuer => "the token is of another issuer",
            ErrorKind::InvalidAudience => "the token is for another audience",
            ErrorKind::MissingRequiredClaim(_) => "the token has no `exp`, `iss` or `aud`",
            _ => "the token is not valid",
        })?;
        let subject = token.claims.others.get(&self.0.settings.subject_claim).and_then(Value::as_str);
        let subject = subject.ok_or("the token does not say who its subject is")?;
        let subject =
            Subject::new(format!("jwt:{subject}")).map_err(|_| "the token's subject has characters that a subject cannot have")?;
        let mut scopes = self.0.settings.scopes.clone();
        // Others use the claim as well, so ours have a prefix there.
        let named = |name: &str| name.strip_prefix("glovebox:").and_then(Scope::from_name);
        match &token.claims.scope {
            Some(Value::String(names)) => scopes.extend(names.split(' ').filter_map(named)),
            Some(Value::Array(names)) => scopes.extend(names.iter().filter_map(Value::as_str).filter_map(named)),
            _ => {}
        }
        Ok(Caller { subject, scopes })
    }
}

impl Inner {
    fn key(&self, id: Option<&str>, algorithm: Algorithm) -> Option<DecodingKey> {
        let keys = Arc::clone(&self.keys.read().unwrap_or_else(PoisonError::into_inner));
        let fits = |key: &&Jwk| (id.is_none() || key.common.key_id.as_deref() == id) && can(key, algorithm);
        let mut fitting = keys.keys.iter().filter(fits);
        let key = fitting.next()?;
        // Without a name it has to be clear which one is meant.
        (id.is_some() || fitting.next().is_none()).then(|| DecodingKey::from_jwk(key).ok()).flatten()
    }

    fn is_older_than(&self, age: Duration) -> bool {
        self.looked.lock().unwrap_or_else(PoisonError::into_inner).is_none_or(|looked| looked.elapsed() > age)
    }

    /// Keys that are taken for a shorter time are read more often.
    fn pause(&self) -> Duration {
        PAUSE.min(self.settings.keys_max_age / 2)
    }

    /// Whether the keys are too old to be taken without asking. Where none were ever read, there are none.
    fn is_stale(&self) -> bool {
        let read = *self.read.lock().unwrap_or_else(PoisonError::into_inner);
        read.is_some_and(|read| read.elapsed() > self.settings.keys_max_age)
    }

    /// Reads the keys anew; those that are known stay for a while where that fails.
    async fn look(&self) {
        let _one = self.looking.lock().await;
        if !self.is_older_than(self.pause()) {
            return;
        }
        match self.fetch().await {
            Ok(keys) => {
                *self.keys.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(keys);
                *self.read.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
            }
            Err(error) => tracing::error!(error, jwks = self.settings.jwks, "the keys of the tokens' issuer could not be read"),
        }
        *self.looked.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
    }

    async fn fetch(&self) -> Result<JwkSet, String> {
        let place = &self.settings.jwks;
        let text = if place.contains("://") {
            let mut response =
                self.client.get(place).send().await.and_then(reqwest::Response::error_for_status).map_err(|error| chain(&error))?;
            let mut text = Vec::new();
            while let Some(part) = response.chunk().await.map_err(|error| chain(&error))? {
                text.extend_from_slice(&part);
                if text.len() > MAX_KEYS {
                    return Err(format!("they have more than {MAX_KEYS} bytes"));
                }
            }
            text
        } else {
            tokio::fs::read(place).await.map_err(|error| error.to_string())?
        };
        let keys: KeySet = serde_json::from_slice(&text).map_err(|error| error.to_string())?;
        // A key of a kind that is not known here must not take the others with it.
        Ok(JwkSet { keys: keys.keys.into_iter().filter_map(|key| serde_json::from_value(key).ok()).collect() })
    }
}

#[derive(Deserialize)]
struct KeySet {
    keys: Vec<Value>,
}

/// Whether a token's header has parameters that whoever checks it must understand (RFC 7515, section 4.1.11). None are understood here.
fn has_critical_parameters(token: &str) -> bool {
    let header = token.split('.').next().unwrap_or_default();
    let header = BASE64.decode(header).ok().and_then(|header| serde_json::from_slice::<Value>(&header).ok());
    header.is_none_or(|header| header.get("crit").is_some() || header.get("b64").is_some())
}

/// Whether a key is meant for signatures of this kind.
fn can(key: &Jwk, algorithm: Algorithm) -> bool {
    use Algorithm::{ES256, ES384, EdDSA, PS256, PS384, PS512, RS256, RS384, RS512};
    let of_kind = match &key.algorithm {
        AlgorithmParameters::RSA(_) => matches!(algorithm, RS256 | RS384 | RS512 | PS256 | PS384 | PS512),
        AlgorithmParameters::EllipticCurve(_) => matches!(algorithm, ES256 | ES384),
        AlgorithmParameters::OctetKeyPair(_) => algorithm == EdDSA,
        _ => false,
    };
    let is_said = key.common.key_algorithm.is_none_or(|said| Algorithm::from_str(&said.to_string()).is_ok_and(|said| said == algorithm));
    let is_for_signatures = key.common.public_key_use.as_ref().is_none_or(|purpose| *purpose == jsonwebtoken::jwk::PublicKeyUse::Signature);
    of_kind && is_said && is_for_signatures
}
