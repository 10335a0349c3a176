//! JSON Web Tokens: which subject holds a token that an external issuer has signed?
//!
//! Tokens of one issuer, for one audience, verified with the public keys that the issuer publishes
//! (JWKS). Only asymmetric signatures are accepted: a verifier must not be able to sign.

mod signatures;

use super::Caller;
use crate::config::Jwt as Settings;
use crate::http_client::client;
use crate::scope::Scope;
use crate::trusted::open_trusted;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use glovebox_policy::Subject;
use glovebox_wire::error::chain;
use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::jwk::{AlgorithmParameters, Jwk, JwkSet};
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use serde::Deserialize;
use serde_json::Value;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::str::FromStr as _;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::{Duration, Instant};

/// Maximum bytes of a key set (JWKS).
const MAX_KEYS: usize = 1 << 20;

/// Time for which cached keys are valid without a new request to the issuer.
const CACHE_TTL: Duration = Duration::from_secs(600);

/// Minimum interval between two requests for keys, whatever tokens arrive; protects the issuer from
/// forged key ids.
const MIN_LOOKUP_INTERVAL: Duration = Duration::from_secs(10);

/// Tolerated clock skew, in seconds.
const LEEWAY: u64 = 30;

/// Claims of a token besides those that the library validates.
#[derive(Deserialize)]
struct Claims {
    #[serde(default)]
    scope: Option<Value>,
    #[serde(flatten)]
    others: serde_json::Map<String, Value>,
}

/// Verifier of the tokens of one issuer.
#[derive(Clone)]
pub(super) struct Tokens(Arc<Verifier>);

struct Verifier {
    settings: Settings,
    client: reqwest::Client,
    keys: RwLock<Arc<JwkSet>>,
    looked: Mutex<Option<Instant>>,
    /// The time at which the keys were last read.
    read: Mutex<Option<Instant>>,
    looking: tokio::sync::Mutex<()>,
}

impl Tokens {
    pub(super) fn new(settings: Settings) -> Result<Self, String> {
        signatures::install();
        let inner = Verifier {
            settings,
            client: client()?,
            keys: RwLock::new(Arc::new(JwkSet { keys: Vec::new() })),
            looked: Mutex::default(),
            read: Mutex::default(),
            looking: Default::default(),
        };
        Ok(Self(Arc::new(inner)))
    }

    /// Returns the subject and scopes of a token.
    ///
    /// # Errors
    ///
    /// The reason why the token is invalid.
    pub(super) async fn holder(&self, token: &str) -> Result<Caller, &'static str> {
        let header = decode_header(token).map_err(|_| "it is no token")?;
        if has_critical_parameters(token) {
            return Err("its header demands extensions (`crit`) that are not understood here");
        }
        let mut key = self.0.key(header.kid.as_deref(), header.alg);
        let is_usable = key.is_some() && !self.0.is_stale();
        if self.0.is_older_than(if is_usable {
            CACHE_TTL.min(self.0.settings.keys_max_age)
        } else {
            self.0.pause()
        }) {
            // As a task of its own: if the client disconnects, the next request must not ask the
            // issuer again.
            let inner = Arc::clone(&self.0);
            let looking = tokio::spawn(async move { inner.look().await });
            // The issuer may have rotated its keys; a known key is good enough meanwhile.
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
        let subject = token
            .claims
            .others
            .get(&self.0.settings.subject_claim)
            .and_then(Value::as_str);
        let subject = subject.ok_or("the token does not say who its subject is")?;
        let subject = Subject::new(format!("jwt:{subject}"))
            .map_err(|_| "the token's subject has characters that a subject cannot have")?;
        let mut scopes = self.0.settings.scopes.clone();
        // Other services use the claim as well, so our scopes have a prefix there.
        let named = |name: &str| {
            name.strip_prefix("glovebox:")
                .and_then(|name| name.parse::<Scope>().ok())
        };
        match &token.claims.scope {
            Some(Value::String(names)) => scopes.extend(names.split(' ').filter_map(named)),
            Some(Value::Array(names)) => {
                scopes.extend(names.iter().filter_map(Value::as_str).filter_map(named))
            }
            _ => {}
        }
        Ok(Caller { subject, scopes })
    }
}

impl Verifier {
    fn key(&self, id: Option<&str>, algorithm: Algorithm) -> Option<DecodingKey> {
        let keys = Arc::clone(&self.keys.read().unwrap_or_else(PoisonError::into_inner));
        let fits = |key: &&Jwk| {
            (id.is_none() || key.common.key_id.as_deref() == id) && can(key, algorithm)
        };
        let mut fitting = keys.keys.iter().filter(fits);
        let key = fitting.next()?;
        // Without a key id, exactly one key must fit.
        (id.is_some() || fitting.next().is_none())
            .then(|| DecodingKey::from_jwk(key).ok())
            .flatten()
    }

    fn is_older_than(&self, age: Duration) -> bool {
        self.looked
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .is_none_or(|looked| looked.elapsed() > age)
    }

    /// Keys with a short maximum age are read more often.
    fn pause(&self) -> Duration {
        MIN_LOOKUP_INTERVAL.min(self.settings.keys_max_age / 2)
    }

    /// Whether the cached keys are too old to be used without asking. True if none were ever read.
    fn is_stale(&self) -> bool {
        let read = *self.read.lock().unwrap_or_else(PoisonError::into_inner);
        read.is_some_and(|read| read.elapsed() > self.settings.keys_max_age)
    }

    /// Reads the keys anew; if that fails, the cached ones stay valid for a while.
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
            Err(error) => tracing::error!(
                error,
                jwks = self.settings.jwks,
                "the keys of the tokens' issuer could not be read"
            ),
        }
        *self.looked.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
    }

    async fn fetch(&self) -> Result<JwkSet, String> {
        let place = &self.settings.jwks;
        let text = if place.contains("://") {
            let mut response = self
                .client
                .get(place)
                .send()
                .await
                .and_then(reqwest::Response::error_for_status)
                .map_err(|error| chain(&error))?;
            let mut text = Vec::new();
            while let Some(part) = response.chunk().await.map_err(|error| chain(&error))? {
                text.extend_from_slice(&part);
                if text.len() > MAX_KEYS {
                    return Err(format!("they have more than {MAX_KEYS} bytes"));
                }
            }
            text
        } else {
            let place = PathBuf::from(place);
            tokio::task::spawn_blocking(move || read_keys(&place))
                .await
                .map_err(|error| error.to_string())??
        };
        let keys: KeySet = serde_json::from_slice(&text).map_err(|error| error.to_string())?;
        // A key of an unknown type must not invalidate the others.
        Ok(JwkSet {
            keys: keys
                .keys
                .into_iter()
                .filter_map(|key| serde_json::from_value(key).ok())
                .collect(),
        })
    }
}

/// Reads a file of keys. Who can change it can sign in as anybody.
fn read_keys(path: &Path) -> Result<Vec<u8>, String> {
    let file = open_trusted(path).map_err(|error| error.to_string())?;
    let mut text = Vec::new();
    let most = MAX_KEYS as u64 + 1;
    file.take(most)
        .read_to_end(&mut text)
        .map_err(|error| error.to_string())?;
    if text.len() > MAX_KEYS {
        return Err(format!("they have more than {MAX_KEYS} bytes"));
    }
    Ok(text)
}

#[derive(Deserialize)]
struct KeySet {
    keys: Vec<Value>,
}

/// Whether a token's header has critical parameters, which a verifier must understand (RFC 7515,
/// section 4.1.11). None are supported here.
fn has_critical_parameters(token: &str) -> bool {
    let header = token.split('.').next().unwrap_or_default();
    let header = BASE64
        .decode(header)
        .ok()
        .and_then(|header| serde_json::from_slice::<Value>(&header).ok());
    header.is_none_or(|header| header.get("crit").is_some() || header.get("b64").is_some())
}

/// Whether a key is meant for signatures with this algorithm.
fn can(key: &Jwk, algorithm: Algorithm) -> bool {
    use Algorithm::{ES256, ES384, EdDSA, PS256, PS384, PS512, RS256, RS384, RS512};
    let of_kind = match &key.algorithm {
        AlgorithmParameters::RSA(_) => {
            matches!(algorithm, RS256 | RS384 | RS512 | PS256 | PS384 | PS512)
        }
        AlgorithmParameters::EllipticCurve(_) => matches!(algorithm, ES256 | ES384),
        AlgorithmParameters::OctetKeyPair(_) => algorithm == EdDSA,
        _ => false,
    };
    let is_said = key.common.key_algorithm.is_none_or(|said| {
        Algorithm::from_str(&said.to_string()).is_ok_and(|said| said == algorithm)
    });
    let is_for_signatures = key
        .common
        .public_key_use
        .as_ref()
        .is_none_or(|purpose| *purpose == jsonwebtoken::jwk::PublicKeyUse::Signature);
    of_kind && is_said && is_for_signatures
}
