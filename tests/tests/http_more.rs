//! Further interfaces of the service: tokens, WebSockets, webhooks and traces, do they work as described?
//!
//! Tokens of an issuer (JWT), WebSockets, findings and calls as events, alerts by webhook, traces by OTLP, a tier that stops working. The
//! other sides are real ones: a key pair, a WebSocket client, HTTP servers.

use glovebox_tests::place::eventually;
use glovebox_tests::service::{RUN, Service, python};
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tempfile::TempDir;
use tungstenite::{Message, WebSocket};

/// A received request: its head and its body.
type Heard = (String, Vec<u8>);

/// A server that answers every request with one text, and records what it received: the head and the body.
struct Listener {
    address: String,
    heard: Arc<Mutex<Vec<Heard>>>,
}

impl Listener {
    fn new(status: &'static str, text: String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
        let address = listener
            .local_addr()
            .expect("it has an address")
            .to_string();
        let heard: Arc<Mutex<Vec<Heard>>> = Arc::default();
        let kept = Arc::clone(&heard);
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let (kept, text) = (Arc::clone(&kept), text.clone());
                std::thread::spawn(move || answer(stream, status, &text, &kept));
            }
        });
        Self { address, heard }
    }

    fn heard(&self) -> Vec<Heard> {
        self.heard
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

fn answer(stream: TcpStream, status: &str, text: &str, heard: &Mutex<Vec<Heard>>) {
    let mut stream = BufReader::new(stream);
    let (mut head, mut length) = (String::new(), 0);
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).unwrap_or(0) == 0 {
            return;
        }
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().unwrap_or(0);
        }
        if line == "\r\n" {
            break;
        }
        head += &line;
    }
    let mut body = vec![0; length];
    let _ = stream.read_exact(&mut body);
    heard
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .push((head, body));
    let _ = write!(
        stream.get_mut(),
        "HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{text}",
        text.len()
    );
}

/// A token issuer with a key pair.
struct Issuer {
    key: EncodingKey,
    id: &'static str,
}

impl Issuer {
    fn new(id: &'static str) -> Self {
        let pair = rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256)
            .expect("a key can be made");
        Self {
            key: EncodingKey::from_ec_der(&pair.serialize_der()),
            id,
        }
    }

    fn jwk(&self) -> Value {
        let mut jwk =
            Jwk::from_encoding_key(&self.key, Algorithm::ES256).expect("it has a public half");
        jwk.common.key_id = Some(self.id.to_owned());
        serde_json::to_value(jwk).expect("it is JSON")
    }

    fn token(&self, claims: &Value) -> String {
        let header = Header {
            kid: Some(self.id.to_owned()),
            ..Header::new(Algorithm::ES256)
        };
        jsonwebtoken::encode(&header, claims, &self.key).expect("it can be signed")
    }
}

fn now() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default()
        .as_secs()
}

#[test]
fn tokens_of_the_issuer_are_taken_and_no_others() {
    let (issuer, stranger) = (Issuer::new("one"), Issuer::new("one"));
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
    let service = Service::start(&folder, &config, false);
    let claims = json!({ "iss": "https://id.example.org", "aud": ["other", "glovebox"], "sub": "alice", "exp": now() + 60 });
    let with = |name: &str, value: Value| {
        let mut claims = claims.clone();
        if value.is_null() {
            claims.as_object_mut().expect("an object").remove(name);
        } else {
            claims[name] = value;
        }
        claims
    };
    let call = |token: &str, method: &str, path: &str, body: &str| {
        let bearer = format!("Bearer {token}");
        service.send(
            method,
            path,
            &[
                ("Authorization", &bearer),
                ("Content-Type", "application/json"),
            ],
            body.as_bytes(),
        )
    };
    let good = issuer.token(&claims);
    let ran = call(&good, "POST", RUN, &python("print(1)").to_string());
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
    let unbound = call(
        &issuer.token(&with("sub", json!("bob"))),
        "POST",
        RUN,
        &python("1").to_string(),
    );
    assert_eq!(unbound.json()["status"], "denied", "{}", unbound.text());
    assert_eq!(
        call(&good, "GET", "/metrics", "").status,
        403,
        "a token allows what the config says"
    );
    let auditor = issuer.token(&with("scope", json!("openid glovebox:audit")));
    assert_eq!(call(&auditor, "GET", "/metrics", "").status, 200);
    let none = format!(
        "{}.{}.",
        "eyJhbGciOiJub25lIn0",
        good.split('.').nth(1).unwrap_or_default()
    );
    let by_public_key = {
        // Algorithm confusion: the public key used as an HMAC secret.
        let header = Header {
            kid: Some("one".to_owned()),
            ..Header::new(Algorithm::HS256)
        };
        let secret = issuer.jwk()["x"].as_str().unwrap_or_default().to_owned();
        jsonwebtoken::encode(
            &header,
            &claims,
            &EncodingKey::from_secret(secret.as_bytes()),
        )
        .expect("it can be signed")
    };
    // A critical header that is not understood here (RFC 7515, section 4.1.11), properly signed.
    let demanding = |more: &str| {
        let header = format!("{{\"alg\":\"ES256\",\"kid\":\"one\",{more}}}");
        let signed = format!(
            "{}.{}",
            base64url(header.as_bytes()),
            good.split('.').nth(1).unwrap_or_default()
        );
        let signature =
            jsonwebtoken::crypto::sign(signed.as_bytes(), &issuer.key, Algorithm::ES256)
                .expect("it can be signed");
        format!("{signed}.{signature}")
    };
    assert_eq!(
        call(
            &demanding("\"typ\":\"JWT\""),
            "POST",
            RUN,
            &python("1").to_string()
        )
        .status,
        200
    );
    let mut changed = good.clone();
    changed.replace_range(
        good.len() - 10..good.len() - 9,
        if good.as_bytes()[good.len() - 10] == b'A' {
            "B"
        } else {
            "A"
        },
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
            "for somebody else",
            issuer.token(&with("aud", json!("other"))),
        ),
        ("for nobody", issuer.token(&with("aud", Value::Null))),
        ("without a subject", issuer.token(&with("sub", Value::Null))),
        (
            "with a subject of two lines",
            issuer.token(&with("sub", json!("a\nb"))),
        ),
        ("without a signature", none),
        ("signed with the public key", by_public_key),
        ("that was changed", changed),
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
        let answer = call(&token, "POST", RUN, &python("1").to_string());
        assert_eq!(
            answer.problem(),
            (401, "unauthenticated".to_owned()),
            "a token {what}: {}",
            answer.text()
        );
    }
    assert!(
        jwks.heard().len() <= 2,
        "the issuer is not asked for every token"
    );
}

/// A revoked key is refused soon, also if the issuer cannot be reached any more.
#[test]
fn keys_of_an_issuer_that_is_gone_are_taken_for_a_while() {
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
        Service::start(&folder, &config("1s"), false),
        Service::start(
            &Arc::new(TempDir::new().expect("a folder")),
            &config("1h"),
            false,
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

type Socket = WebSocket<TcpStream>;

fn socket(service: &Service, path: &str) -> Socket {
    let stream = service.connect();
    tungstenite::client(format!("ws://{}{path}", service.address()), stream)
        .unwrap_or_else(|error| panic!("{error}"))
        .0
}

/// The next event.
fn next(socket: &mut Socket) -> Option<Value> {
    loop {
        match socket.read() {
            Ok(Message::Text(text)) => {
                return Some(serde_json::from_str(&text).expect("a message is JSON"));
            }
            Ok(Message::Close(_)) | Err(_) => return None,
            Ok(_) => {}
        }
    }
}

fn until(socket: &mut Socket, event: &str) -> Value {
    loop {
        let told = next(socket).unwrap_or_else(|| panic!("no `{event}` comes"));
        if told["event"] == event {
            return told;
        }
    }
}

#[test]
fn a_program_is_talked_to_while_it_runs() {
    let service = Service::local("");
    let begin = |source: &str| {
        let body = json!({ "language": "python", "source": source, "stdin": "first\n", "stdin_open": true }).to_string();
        let headers = [
            ("Content-Type", "application/json"),
            ("Prefer", "respond-async"),
        ];
        let answer = service.send("POST", RUN, &headers, body.as_bytes());
        assert_eq!(answer.status, 202, "{}", answer.text());
        answer.header("location").to_owned()
    };
    let echo = "import sys\nfor line in sys.stdin:\n    print('heard', line.strip(), flush=True)\nprint('over')";
    let place = begin(echo);
    let mut client = socket(&service, &format!("{place}/events"));
    assert_eq!(
        until(&mut client, "stdout")["data"]["text"],
        "heard first\n"
    );
    client
        .send(Message::Text(
            json!({ "stdin": "zweite ä\n" }).to_string().into(),
        ))
        .expect("it is open");
    assert_eq!(
        until(&mut client, "stdout")["data"]["text"],
        "heard zweite ä\n"
    );
    // When a client disconnects, the next one may send the input.
    drop(client);
    let mut client = socket(&service, &format!("{place}/events"));
    eventually(Duration::from_secs(10), "the input is free again", || {
        client = socket(&service, &format!("{place}/events"));
        client
            .send(Message::Binary(b"third\n".to_vec().into()))
            .is_ok()
            && std::iter::from_fn(|| next(&mut client))
                .take(8)
                .any(|event| event["data"]["text"] == "heard third\n")
    });
    client
        .send(Message::Text(
            json!({ "stdin_base64": "bGFzdA==", "stdin_end": true })
                .to_string()
                .into(),
        ))
        .expect("it is open");
    let end = until(&mut client, "end");
    assert!(
        end["data"]["stdout"]
            .as_str()
            .is_some_and(|text| text.ends_with("heard last\nover\n")),
        "{end}"
    );
    assert_eq!(next(&mut client), None, "nothing follows the end");
    // Cancelled by a message; a malformed message closes the connection and nothing else.
    let place = begin("import time\nwhile True: time.sleep(1)");
    let mut nonsense = socket(&service, &format!("{place}/events"));
    nonsense
        .send(Message::Text("{\"shell\": true}".into()))
        .expect("it is open");
    while next(&mut nonsense).is_some() {}
    let mut client = socket(&service, &format!("{place}/events"));
    client
        .send(Message::Text("{\"cancel\": true}".into()))
        .expect("it is open");
    assert_eq!(until(&mut client, "end")["data"]["status"], "cancelled");
    let waits = service.post(
        RUN,
        &json!({ "language": "python", "source": "1", "stdin_open": true }),
    );
    assert_eq!(waits.problem(), (422, "invalid".to_owned()));
    // Of an execution that ended long ago, only the end is sent.
    let ran = service.post(RUN, &python("print(5)")).json();
    let mut client = socket(
        &service,
        &format!("{RUN}/{}/events", ran["id"].as_str().unwrap_or_default()),
    );
    assert_eq!(until(&mut client, "end")["data"], ran);
    // A web page of another origin is refused (cross-site WebSocket hijacking).
    let mut stream = service.begin(
        "GET",
        &format!("{place}/events"),
        &[
            ("Upgrade", "websocket"),
            ("Origin", "https://evil.example.org"),
            ("Sec-WebSocket-Version", "13"),
            ("Sec-WebSocket-Key", "eHh4eHh4eHh4eHh4eHh4eA=="),
        ],
        b"",
    );
    assert_eq!(glovebox_tests::service::read(&mut stream).status, 403);
}

#[test]
fn findings_are_told_recorded_and_refused_where_the_policy_says() {
    let folder = Arc::new(TempDir::new().expect("a folder can be made"));
    let policy = folder.path().join("policy.toml");
    let text = "version = 1\ndefault_profile = \"default\"\n[profiles.strict]\nextends = \"default\"\n[profiles.strict.findings]\nlow = \"ignore\"\nhigh = \"deny\"\n\
        [[bindings]]\nsubject = \"local\"\nprofiles = [\"default\", \"strict\"]\n";
    std::fs::write(&policy, text).expect("the folder is writable");
    let service = Service::start(
        &folder,
        &format!("policy = {policy:?}\n[containers]\nenabled = false\n"),
        true,
    );
    for (language, source, line) in [
        (
            "python",
            "import base64\n\nexec(base64.b64decode('cHJpbnQoMSk='))",
            3,
        ),
        (
            "javascript",
            "// nothing here\neval(atob('Y29uc29sZS5sb2coMSk='))",
            2,
        ),
        (
            "typescript",
            "const x: string = atob('Y29uc29sZS5sb2coMSk=');\neval(x)",
            2,
        ),
    ] {
        let body = json!({ "language": language, "source": source });
        let ran = service.post(RUN, &body).json();
        assert_eq!(
            (&ran["status"], &ran["stdout"]),
            (&"succeeded".into(), &"1\n".into()),
            "{ran}"
        );
        let found = &ran["findings"][0];
        assert_eq!(
            (&found["rule"], &found["line"], &found["severity"]),
            (&"exec-of-decoded-text".into(), &line.into(), &"high".into()),
            "{ran}"
        );
        let told = service.send(
            "POST",
            RUN,
            &[
                ("Content-Type", "application/json"),
                ("Accept", "text/event-stream"),
            ],
            body.to_string().as_bytes(),
        );
        assert!(told.text().contains("event: finding"), "{}", told.text());
        let mut strict = body.clone();
        strict["profile"] = json!("strict");
        let denied = service.post(RUN, &strict).json();
        assert_eq!(
            (&denied["status"], &denied["denial"]["rule"]),
            (&"denied".into(), &"profiles.strict.findings.high".into()),
            "{denied}"
        );
        let explained = service.post("/v1/policies/explain", &strict).json();
        assert_eq!(explained["verdict"], "denied", "{explained}");
    }
    let audit = service.get("/v1/audit?event=found&limit=1").json();
    assert_eq!(
        audit["records"][0]["findings"][0]["rule"], "exec-of-decoded-text",
        "{audit}"
    );
    // In a session as well, which goes on.
    let place = service
        .post(
            "/v1/sessions",
            &json!({ "language": "python", "profile": "strict" }),
        )
        .header("location")
        .to_owned();
    let evaluate = |source: &str| {
        service
            .post(&format!("{place}/executions"), &json!({ "source": source }))
            .json()
    };
    assert_eq!(
        evaluate("import base64\nexec(base64.b64decode('eCA9IDE='))")["status"],
        "denied"
    );
    assert_eq!(evaluate("6 * 7")["value"]["json"], 42);
    // What only looks like it is no finding.
    let plain =
        service.post(RUN, &python("# exec(base64.b64decode('..'))\nimport re\nre.compile('a').match('a')\nprint('169.254.1.1')")).json();
    assert_eq!(plain["findings"], json!([]), "{plain}");
}

#[test]
fn alerts_fire_once_and_are_posted() {
    let hook = Listener::new("204 No Content", String::new());
    let failing = Listener::new("500 Internal Server Error", String::new());
    let folder = Arc::new(TempDir::new().expect("a folder can be made"));
    let secret = folder.path().join("secret");
    std::fs::write(&secret, "hook-secret\n").expect("the folder is writable");
    let config = format!(
        "[containers]\nenabled = false\n[[alerts]]\nname = \"too many limits\"\non = \"limited\"\ncount = 3\nwithin = \"5m\"\nwebhook = \"http://{}/hook\"\nsecret_file = {secret:?}\n\
         [[alerts]]\nname = \"refused\"\non = \"denied\"\nwebhook = \"http://{}/hook\"\n",
        hook.address, failing.address
    );
    let service = Service::start(&folder, &config, true);
    let limited =
        json!({ "language": "python", "source": "while True: pass", "limits": { "wall_ms": 50 } });
    for _ in 0..5 {
        assert_eq!(service.post(RUN, &limited).json()["status"], "limited");
    }
    eventually(Duration::from_secs(10), "the webhook is called", || {
        !hook.heard().is_empty()
    });
    let (head, body) = hook.heard().remove(0);
    let alert: Value = serde_json::from_slice(&body).expect("it is JSON");
    assert_eq!(
        (&alert["name"], &alert["subject"], &alert["count"]),
        (&"too many limits".into(), &"local".into(), &3.into()),
        "{alert}"
    );
    // The oracle is another implementation of the signature.
    let mut signed = std::process::Command::new("python3")
        .args(["-c", "import hmac, sys; print(hmac.new(b'hook-secret', sys.stdin.buffer.read(), 'sha256').hexdigest())"])
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .expect("python3 is there");
    signed
        .stdin
        .take()
        .expect("it reads")
        .write_all(&body)
        .expect("it reads");
    let signed = signed.wait_with_output().expect("it ends").stdout;
    let signed = String::from_utf8_lossy(&signed).trim().to_owned();
    assert!(
        head.to_ascii_lowercase()
            .contains(&format!("x-glovebox-signature: sha256={signed}")),
        "{head}"
    );
    assert_eq!(
        service
            .post(
                RUN,
                &json!({ "language": "python", "source": "1", "profile": "nobody" })
            )
            .json()["status"],
        "denied"
    );
    eventually(
        Duration::from_secs(20),
        "a webhook that fails is called again",
        || failing.heard().len() >= 2,
    );
    let listed = service.get("/v1/alerts").json();
    assert_eq!(
        listed["alerts"].as_array().map(Vec::len),
        Some(2),
        "{listed}"
    );
    assert_eq!(
        service.get("/v1/alerts?after=1").json()["alerts"][0]["name"],
        "refused"
    );
    assert_eq!(
        hook.heard().len(),
        1,
        "a rule that has fired is silent for a while"
    );
    assert!(
        service
            .get("/metrics")
            .text()
            .contains("glovebox_alerts_fired 2"),
        "{}",
        service.get("/metrics").text()
    );
}

#[test]
fn traces_go_from_the_request_to_the_guest() {
    let collector = Listener::new("200 OK", String::new());
    let config = format!(
        "[containers]\nenabled = false\n[telemetry]\notlp = \"http://{}/v1/traces\"\nservice_name = \"box-7\"\n",
        collector.address
    );
    let mut service = Service::local(&config);
    let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
    let parent = format!("00-{trace}-00f067aa0ba902b7-01");
    let body = python("print('canary-in-output')").to_string();
    let ran = service.send(
        "POST",
        RUN,
        &[
            ("Content-Type", "application/json"),
            ("traceparent", &parent),
        ],
        body.as_bytes(),
    );
    assert_eq!(ran.json()["status"], "succeeded");
    assert!(service.stop(), "what is left is sent at the end");
    let sent: Vec<u8> = collector
        .heard()
        .into_iter()
        .flat_map(|(_, body)| body)
        .collect();
    let has = |part: &[u8]| sent.windows(part.len()).any(|window| window == part);
    for name in [
        "request",
        "execution",
        "survey",
        "look",
        "prepare",
        "guest",
        "box-7",
        "/v1/executions",
        "succeeded",
    ] {
        assert!(has(name.as_bytes()), "no `{name}` in what was sent");
    }
    let digits: Vec<u8> = (0..16)
        .map(|at| u8::from_str_radix(&trace[at * 2..at * 2 + 2], 16).expect("digits"))
        .collect();
    assert!(has(&digits), "the trace of the caller goes on");
    assert!(
        !has(b"canary-in-output"),
        "nothing of the program is in a trace"
    );
}
