//! Service fixture: how do tests talk to a service?
//!
//! They talk HTTP to the program `glovebox serve` itself, as its clients do.

use crate::tree::program;
use serde_json::{Value, json};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tempfile::TempDir;

/// The path of executions.
pub const RUN: &str = "/v1/executions";

/// The path of task trees.
pub const TREES: &str = "/v1/task-trees";

/// A request to run a program in Python.
#[must_use]
pub fn python(source: &str) -> Value {
    json!({ "language": "python", "source": source })
}

/// The clients that a service accepts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Every client on this machine, without a key.
    Local,
    /// Clients with a key or a token.
    Keys,
}

/// A service process, which ends with the test.
pub struct Service {
    process: Child,
    folder: Arc<TempDir>,
    address: String,
    /// Its log output so far.
    pub log: Arc<Mutex<String>>,
    key: Option<String>,
}

/// A response of the service.
#[derive(Debug)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The headers, their names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl Answer {
    /// The first value of a header; empty where there is none.
    #[must_use]
    pub fn header(&self, name: &str) -> &str {
        self.headers
            .iter()
            .find(|(other, _)| other == name)
            .map_or("", |(_, value)| value)
    }

    /// The body as JSON.
    ///
    /// # Panics
    ///
    /// If it is not JSON.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }

    /// The body as text.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The status and the code of a problem.
    #[must_use]
    pub fn problem(&self) -> (u16, String) {
        (
            self.status,
            self.json()["code"].as_str().unwrap_or_default().to_owned(),
        )
    }
}

impl Service {
    /// Starts a service without keys.
    #[must_use]
    pub fn local(config: &str) -> Self {
        Self::start(
            &Arc::new(TempDir::new().expect("a folder can be made")),
            config,
            Access::Local,
        )
    }

    /// Starts a service that requires keys.
    #[must_use]
    pub fn with_keys(config: &str) -> Self {
        Self::start(
            &Arc::new(TempDir::new().expect("a folder can be made")),
            config,
            Access::Keys,
        )
    }

    /// Starts a service with its state in a folder.
    ///
    /// # Panics
    ///
    /// If it does not start.
    #[must_use]
    pub fn start(folder: &Arc<TempDir>, config: &str, access: Access) -> Self {
        Self::start_with(folder, config, access, &[])
    }

    /// As [`Service::start`], with environment variables.
    ///
    /// # Panics
    ///
    /// If it does not start.
    #[must_use]
    pub fn start_with(
        folder: &Arc<TempDir>,
        config: &str,
        access: Access,
        environment: &[(&str, &str)],
    ) -> Self {
        let path = folder.path().join("config.toml");
        std::fs::write(&path, config).expect("the folder is writable");
        let mut command = Command::new(program());
        command
            .args(["serve", "--listen", "127.0.0.1:0"])
            .arg("--state")
            .arg(folder.path().join("state"))
            .arg("--config")
            .arg(path);
        command.envs(environment.iter().copied());
        if access == Access::Local {
            command.arg("--insecure-local");
        }
        let mut process = command
            .stderr(Stdio::piped())
            .stdin(Stdio::null())
            .spawn()
            .expect("the program starts");
        let mut lines = BufReader::new(process.stderr.take().expect("it has a log")).lines();
        let log = Arc::new(Mutex::new(String::new()));
        let mut address = None;
        for line in lines.by_ref() {
            let line = line.expect("the log is text");
            if let Some((_, rest)) = line.split_once("serving on ") {
                address = rest
                    .split("://")
                    .nth(1)
                    .and_then(|rest| rest.split(',').next())
                    .map(str::to_owned);
                break;
            }
            log.lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push_str(&(line + "\n"));
        }
        let address = address.unwrap_or_else(|| {
            panic!(
                "it does not start: {}",
                log.lock().unwrap_or_else(PoisonError::into_inner)
            )
        });
        let kept = Arc::clone(&log);
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                kept.lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .push_str(&(line + "\n"));
            }
        });
        Self {
            process,
            folder: Arc::clone(folder),
            address,
            log,
            key: None,
        }
    }

    /// Returns its address: `127.0.0.1:port`.
    #[must_use]
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Returns its process id.
    #[must_use]
    pub fn process(&self) -> u32 {
        self.process.id()
    }

    /// The folder with its state and config.
    #[must_use]
    pub fn folder(&self) -> Arc<TempDir> {
        Arc::clone(&self.folder)
    }

    /// Returns its state folder.
    #[must_use]
    pub fn state(&self) -> PathBuf {
        self.folder.path().join("state")
    }

    /// Creates a key.
    ///
    /// # Panics
    ///
    /// If it cannot be created.
    #[must_use]
    pub fn make_key(&self, arguments: &[&str]) -> String {
        let output = Command::new(program())
            .args(["keys", "create"])
            .args(arguments)
            .arg("--state")
            .arg(self.state())
            .output();
        let output = output.expect("the program starts");
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }

    /// Sends this key with every subsequent request.
    pub fn use_key(&mut self, key: &str) {
        self.key = Some(key.to_owned());
    }

    /// Sends a request with a JSON body.
    #[must_use]
    pub fn post(&self, path: &str, body: &Value) -> Answer {
        self.send(
            "POST",
            path,
            &[("Content-Type", "application/json")],
            body.to_string().as_bytes(),
        )
    }

    /// Runs something in [`RUN`] or [`TREES`] to its end; returns the record.
    ///
    /// # Panics
    ///
    /// If it does not end.
    #[must_use]
    pub fn run(&self, path: &str, body: &Value) -> Value {
        let answer = self.post(path, body);
        assert_eq!(answer.status, 200, "{}", answer.text());
        answer.json()
    }

    /// Sends a request without a body.
    #[must_use]
    pub fn get(&self, path: &str) -> Answer {
        self.send("GET", path, &[], b"")
    }

    /// Sends any request.
    ///
    /// # Panics
    ///
    /// If there is no response.
    #[must_use]
    pub fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
        let mut stream = self.begin(method, path, headers, body);
        read(&mut stream)
    }

    /// Sends a request, and leaves the response unread.
    ///
    /// # Panics
    ///
    /// If the service cannot be reached.
    #[must_use]
    pub fn begin(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> TcpStream {
        let mut head = format!(
            "{method} {path} HTTP/1.1\r\nConnection: close\r\nContent-Length: {}\r\n",
            body.len()
        );
        if !headers
            .iter()
            .any(|(name, _)| name.eq_ignore_ascii_case("host"))
        {
            head += &format!("Host: {}\r\n", self.address);
        }
        if let Some(key) = &self.key
            && !headers
                .iter()
                .any(|(name, _)| name.eq_ignore_ascii_case("authorization"))
        {
            head += &format!("Authorization: Bearer {key}\r\n");
        }
        for (name, value) in headers {
            head += &format!("{name}: {value}\r\n");
        }
        let mut stream = self.connect();
        stream
            .write_all((head + "\r\n").as_bytes())
            .expect("the service reads");
        // It may respond and close before it has read everything.
        let _ = stream.write_all(body);
        stream
    }

    /// Opens a connection and sends nothing.
    ///
    /// # Panics
    ///
    /// If the service cannot be reached.
    #[must_use]
    pub fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(&self.address).expect("the service can be reached");
        stream
            .set_read_timeout(Some(Duration::from_secs(60)))
            .expect("a time can be set");
        stream
    }

    /// Returns the id of its process.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.process.id()
    }

    /// Stops it gracefully (`SIGTERM`), and returns whether it exited with success.
    #[must_use]
    pub fn stop(&mut self) -> bool {
        let _ = Command::new("kill")
            .args(["-TERM", &self.process.id().to_string()])
            .status();
        self.process.wait().is_ok_and(|status| status.success())
    }

    /// Kills it (`SIGKILL`).
    pub fn kill(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Returns the events of a stream: their ids, kinds and data.
///
/// # Panics
///
/// If their data is not JSON.
#[must_use]
pub fn events(answer: &Answer) -> Vec<(String, String, Value)> {
    let mut events = Vec::new();
    for block in answer.text().split("\n\n") {
        let field = |name: &str| {
            block
                .lines()
                .find_map(|line| line.strip_prefix(name))
                .unwrap_or_default()
                .trim()
                .to_owned()
        };
        if !field("event:").is_empty() {
            let data = serde_json::from_str(&field("data:")).expect("data is JSON");
            events.push((field("id:"), field("event:"), data));
        }
    }
    events
}

/// Reads a response to its end.
///
/// # Panics
///
/// If it is malformed.
pub fn read(stream: &mut TcpStream) -> Answer {
    let mut bytes = Vec::new();
    // A service that closes early resets the connection; what it sent before counts.
    let _ = stream.read_to_end(&mut bytes);
    let end = bytes
        .windows(4)
        .position(|part| part == b"\r\n\r\n")
        .unwrap_or_else(|| panic!("no answer: {}", String::from_utf8_lossy(&bytes)));
    let (head, body) = bytes.split_at(end + 4);
    let head = String::from_utf8_lossy(head);
    let mut lines = head.lines();
    let status = lines
        .next()
        .and_then(|line| line.split(' ').nth(1)?.parse().ok())
        .expect("a status");
    let headers: Vec<_> = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
        .collect();
    let is_chunked = headers
        .iter()
        .any(|(name, value)| name == "transfer-encoding" && value == "chunked");
    Answer {
        status,
        body: if is_chunked {
            whole(body)
        } else {
            body.to_vec()
        },
        headers,
    }
}

/// Decodes a chunked body.
fn whole(mut chunks: &[u8]) -> Vec<u8> {
    let mut body = Vec::new();
    while let Some(end) = chunks.windows(2).position(|part| part == b"\r\n") {
        let size = std::str::from_utf8(&chunks[..end])
            .ok()
            .and_then(|size| usize::from_str_radix(size.trim(), 16).ok())
            .unwrap_or(0);
        let rest = &chunks[end + 2..];
        if size == 0 || rest.len() < size + 2 {
            body.extend_from_slice(&rest[..size.min(rest.len())]);
            break;
        }
        body.extend_from_slice(&rest[..size]);
        chunks = &rest[size + 2..];
    }
    body
}
