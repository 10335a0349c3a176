//! Tokens of an issuer (JWT): are its own accepted, and no others?

use super::listener::Listener;
use glovebox_tests::place::eventually;
use glovebox_tests::service::{Access, Answer, RUN, Service, python};
use ring::hmac;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tempfile::TempDir;

/// A token issuer with a key pair.
struct Issuer {
    key: EcdsaKeyPair,
    id: &'static str,
}

impl Issuer {
    fn new(id: &'static str) -> Self {
        let pair = rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256)
            .expect("a key can be made");
        let key = EcdsaKeyPair::from_pkcs8(
            &ECDSA_P256_SHA256_FIXED_SIGNING,
            &pair.serialize_der(),
            &SystemRandom::new(),
        );
        Self {
            key: key.expect("the key is PKCS #8"),
            id,
        }
    }

    fn jwk(&self) -> Value {
        // An uncompressed point: a byte, and both coordinates.
        let point = &self.key.public_key().as_ref()[1..];
        let (x, y) = point.split_at(point.len() / 2);
        let (x, y) = (base64url(x), base64url(y));
        json!({ "kty": "EC", "crv": "P-256", "x": x, "y": y, "kid": self.id })
    }

    fn token(&self, claims: &Value) -> String {
        let header = json!({ "typ": "JWT", "alg": "ES256", "kid": self.id });
        self.signed(&header.to_string(), claims)
    }

    /// Returns a token with any header, properly signed: an extension that is critical is not
    /// understood here (RFC 7515, section 4.1.11).
    fn token_with(&self, more: &str, claims: &Value) -> String {
        let header = format!("{{\"alg\":\"ES256\",\"kid\":\"one\",{more}}}");
        self.signed(&header, claims)
    }

    fn signed(&self, header: &str, claims: &Value) -> String {
        let message = message(header, claims);
        let signature = self.key.sign(&SystemRandom::new(), message.as_bytes());
        let signature = base64url(signature.expect("it can be signed").as_ref());
        format!("{message}.{signature}")
    }

    /// Returns a token that is signed with the public key as an HMAC secret (algorithm confusion).
    fn token_by_public_key(&self, claims: &Value) -> String {
        let header = json!({ "typ": "JWT", "alg": "HS256", "kid": self.id });
        let message = message(&header.to_string(), claims);
        let jwk = self.jwk();
        let secret = jwk["x"].as_str().unwrap_or_default();
        let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
        let signature = base64url(hmac::sign(&key, message.as_bytes()).as_ref());
        format!("{message}.{signature}")
    }
}

/// Returns the part of a token that is signed.
fn message(header: &str, claims: &Value) -> String {
    let claims = base64url(claims.to_string().as_bytes());
    format!("{}.{claims}", base64url(header.as_bytes()))
}

fn now() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default()
        .as_secs()
}

/// A service that accepts the tokens of an issuer.
struct Accepting {
    issuer: Issuer,
    jwks: Listener,
    service: Service,
}

impl Accepting {
    fn new() -> Self {
        let issuer = Issuer::new("one");
        let odd = json!({ "kty": "XYZ", "kid": "odd" });
        let jwks = Listener::new("200 OK", json!({ "keys": [odd, issuer.jwk()] }).to_string());
        let folder = Arc::new(TempDir::new().expect("a folder can be made"));
        let policy = folder.path().join("policy.toml");
        std::fs::write(
            &policy,
            "version = 1\n[[bindings]]\nsubject = \"jwt:alice\"\nprofiles = [\"offline\"]\n",
        )
        .expect("the folder is writable");
        let config = format!(
            "policy = {policy:?}\n[jwt]\nissuer = \"https://id.example.org\"\naudience = \"glovebox\"\njwks = \"http://{}/keys\"\n",
            jwks.address
        );
        let service = Service::start(&folder, &config, Access::Keys);
        Self {
            issuer,
            jwks,
            service,
        }
    }

    fn call(&self, token: &str, method: &str, path: &str, body: &str) -> Answer {
        let bearer = format!("Bearer {token}");
        let headers = [
            ("Authorization", bearer.as_str()),
            ("Content-Type", "application/json"),
        ];
        self.service.send(method, path, &headers, body.as_bytes())
    }

    fn run(&self, token: &str) -> Answer {
        self.call(token, "POST", RUN, &python("print(1)").to_string())
    }
}

/// Valid claims, but for one.
fn claims_with(name: &str, value: Value) -> Value {
    let mut claims = claims();
    if value.is_null() {
        claims.as_object_mut().expect("an object").remove(name);
    } else {
        claims[name] = value;
    }
    claims
}

fn claims() -> Value {
    json!({
        "iss": "https://id.example.org",
        "aud": ["other", "glovebox"],
        "sub": "alice",
        "exp": now() + 60,
    })
}

#[test]
fn tokens_of_the_issuer_are_accepted_for_their_subject() {
    let accepting = Accepting::new();
    let issuer = &accepting.issuer;
    let good = issuer.token(&claims());
    let ran = accepting.run(&good);
    assert_eq!(
        (
            ran.status,
            ran.json()["status"].as_str(),
            ran.json()["subject"].as_str()
        ),
        (200, Some("succeeded"), Some("jwt:alice")),
        "{}",
        ran.text()
    );
    assert_eq!(
        ran.json()["policy"]["profile"],
        "offline",
        "the policy binds the token's subject"
    );
    let unbound = accepting.run(&issuer.token(&claims_with("sub", json!("bob"))));
    assert_eq!(unbound.json()["status"], "denied", "{}", unbound.text());
    assert_eq!(
        accepting.call(&good, "GET", "/metrics", "").status,
        403,
        "a token allows what the config says"
    );
    let auditor = issuer.token(&claims_with("scope", json!("openid glovebox:audit")));
    assert_eq!(accepting.call(&auditor, "GET", "/metrics", "").status, 200);
    let typed = issuer.token_with("\"typ\":\"JWT\"", &claims());
    assert_eq!(accepting.run(&typed).status, 200);
}

/// A token with another character in its signature.
fn changed(token: &str) -> String {
    let at = token.len() - 10;
    let other = if token.as_bytes()[at] == b'A' {
        "B"
    } else {
        "A"
    };
    let mut changed = token.to_owned();
    changed.replace_range(at..=at, other);
    changed
}

#[test]
fn tokens_that_are_not_the_issuers_are_refused() {
    let accepting = Accepting::new();
    let issuer = &accepting.issuer;
    let stranger = Issuer::new("one");
    let claims = claims();
    let with = claims_with;
    let demanding = |more: &str| issuer.token_with(more, &claims);
    let good = issuer.token(&claims);
    assert_eq!(accepting.run(&good).status, 200);
    let by_public_key = issuer.token_by_public_key(&claims);
    let none = format!(
        "{}.{}.",
        "eyJhbGciOiJub25lIn0",
        good.split('.').nth(1).unwrap_or_default()
    );
    for (what, token) in [
        ("of a stranger with the same name", stranger.token(&claims)),
        (
            "that has expired",
            issuer.token(&with("exp", json!(now() - 120))),
        ),
        (
            "that never expires",
            issuer.token(&with("exp", Value::Null)),
        ),
        (
            "of tomorrow",
            issuer.token(&with("nbf", json!(now() + 86_400))),
        ),
        (
            "of another issuer",
            issuer.token(&with("iss", json!("https://evil.example.org"))),
        ),
        (
            "for another audience",
            issuer.token(&with("aud", json!("other"))),
        ),
        (
            "without an audience",
            issuer.token(&with("aud", Value::Null)),
        ),
        ("without a subject", issuer.token(&with("sub", Value::Null))),
        (
            "with a subject of two lines",
            issuer.token(&with("sub", json!("a\nb"))),
        ),
        ("without a signature", none),
        ("signed with the public key", by_public_key),
        ("that was changed", changed(&good)),
        ("that is none", "a.b.c".to_owned()),
        ("with an extension", demanding("\"crit\":[\"x\"],\"x\":1")),
        (
            "with a known extension",
            demanding("\"crit\":[\"exp\"],\"exp\":1"),
        ),
        ("with an empty list of extensions", demanding("\"crit\":[]")),
        (
            "with an unencoded payload",
            demanding("\"b64\":false,\"crit\":[\"b64\"]"),
        ),
    ] {
        let answer = accepting.run(&token);
        assert_eq!(
            answer.problem(),
            (401, "unauthenticated".to_owned()),
            "a token {what}: {}",
            answer.text()
        );
    }
    assert!(
        accepting.jwks.heard().len() <= 2,
        "the issuer is not asked for every token"
    );
}

/// A revoked key is refused soon, also if the issuer cannot be reached any more.
#[test]
fn cached_keys_of_an_unreachable_issuer_expire() {
    let issuer = Issuer::new("one");
    let folder = Arc::new(TempDir::new().expect("a folder can be made"));
    let keys = folder.path().join("keys.json");
    std::fs::write(&keys, json!({ "keys": [issuer.jwk()] }).to_string())
        .expect("the folder is writable");
    let config = |age: &str| {
        format!(
            "[jwt]\nissuer = \"i\"\naudience = \"a\"\njwks = {keys:?}\nkeys_max_age = \"{age}\"\n"
        )
    };
    let token =
        issuer.token(&json!({ "iss": "i", "aud": "a", "sub": "alice", "exp": now() + 600 }));
    let call = |service: &Service| {
        let headers = [("Authorization", format!("Bearer {token}"))];
        service
            .send("GET", RUN, &[(headers[0].0, &headers[0].1)], b"")
            .status
    };
    let (short, long) = (
        Service::start(&folder, &config("1s"), Access::Keys),
        Service::start(
            &Arc::new(TempDir::new().expect("a folder")),
            &config("1h"),
            Access::Keys,
        ),
    );
    assert_eq!((call(&short), call(&long)), (200, 200));
    std::fs::remove_file(&keys).expect("the file can be removed");
    eventually(
        Duration::from_secs(20),
        "the keys are too old to be taken without asking",
        || call(&short) == 401,
    );
    assert_eq!(call(&long), 200, "they are not too old yet");
}

fn base64url(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let digit = |bits: u32| char::from(DIGITS[(bits & 63) as usize]);
    let mut text = String::new();
    for part in bytes.chunks(3) {
        let bits = part
            .iter()
            .fold(0, |bits, byte| bits << 8 | u32::from(*byte))
            << (8 * (3 - part.len()));
        text.extend((0..=part.len()).map(|index| digit(bits >> (18 - 6 * index))));
    }
    text
}
