//! Memory limit of the service: does it hold for any requests of its clients, while other clients
//! are still served?
//!
//! The oracle is outside the service: a cgroup around it, of version 1 or 2, whichever can be
//! created, with a limit above `limits.memory`. If none can be created, the peak of its resident
//! memory.

mod amplified;
mod requests;
mod sessions;
mod tenants;

use base64::Engine as _;
use glovebox_tests::place::eventually;
use glovebox_tests::server::{self, Server};
use glovebox_tests::service::{Access, Answer, RUN, Service, TREES, python};
use serde_json::{Value, json};
use std::fs;
use std::io::Write as _;
use std::net::TcpStream;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tempfile::TempDir;

const SESSIONS: &str = "/v1/sessions";

/// The service's memory limit, and the lower `limits.memory` that it hands out. The difference is
/// its own overhead.
const LIMIT: u64 = 1 << 30;
const MEMORY: &str = "600MiB";

/// A cgroup around a process.
struct Cgroup {
    folder: PathBuf,
    is_second: bool,
}

impl Cgroup {
    fn around(process: u32, limit: u64) -> Option<Self> {
        for (root, file) in [
            ("/sys/fs/cgroup/memory", "memory.limit_in_bytes"),
            ("/sys/fs/cgroup", "memory.max"),
        ] {
            let folder = PathBuf::from(root).join(format!("glovebox-test-{process}"));
            let cgroup = Self {
                folder,
                is_second: file == "memory.max",
            };
            if fs::create_dir(&cgroup.folder).is_ok()
                && fs::write(cgroup.folder.join(file), limit.to_string()).is_ok()
                && fs::write(cgroup.folder.join("cgroup.procs"), process.to_string()).is_ok()
            {
                return Some(cgroup);
            }
        }
        None
    }

    fn read(&self, file: &str) -> String {
        fs::read_to_string(self.folder.join(file)).unwrap_or_default()
    }

    /// Returns the peak memory by the kernel's count, less the page cache, which the kernel
    /// reclaims under pressure.
    fn peak(&self) -> Option<u64> {
        let (file, cache) = if self.is_second {
            ("memory.peak", "file ")
        } else {
            ("memory.max_usage_in_bytes", "cache ")
        };
        let peak: u64 = self.read(file).trim().parse().ok()?;
        let stat = self.read("memory.stat");
        let number = |key: &str| {
            stat.lines()
                .find_map(|line| line.strip_prefix(key)?.trim().parse::<u64>().ok())
                .unwrap_or(0)
        };
        Some(peak.saturating_sub(number(cache).saturating_sub(number("shmem "))))
    }

    /// Returns the number of OOM kills.
    fn kills(&self) -> u64 {
        let (file, key) = if self.is_second {
            ("memory.events", "oom_kill ")
        } else {
            ("memory.oom_control", "oom_kill ")
        };
        self.read(file)
            .lines()
            .find_map(|line| line.strip_prefix(key)?.trim().parse().ok())
            .unwrap_or(0)
    }
}

impl Drop for Cgroup {
    fn drop(&mut self) {
        let _ = fs::remove_dir(&self.folder);
    }
}

/// Returns the peak resident memory of a process.
fn peak(process: u32) -> u64 {
    let status =
        fs::read_to_string(format!("/proc/{process}/status")).expect("the service is alive");
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))
        .expect("the kernel says so");
    line.trim()
        .trim_end_matches(" kB")
        .parse::<u64>()
        .expect("a number")
        << 10
}

fn with_limits(limits: &str, policy: &str) -> Service {
    let folder = Arc::new(TempDir::new().expect("a folder can be made"));
    let path = folder.path().join("policy.toml");
    fs::write(&path, policy).expect("the folder is writable");
    Service::start(
        &folder,
        &format!("policy = {path:?}\n[limits]\n{limits}\n[containers]\nenabled = false\n"),
        Access::Keys,
    )
}

fn policy(port: u16) -> String {
    format!(
        "version = 1\ndefault_profile = \"p\"\n[profiles.p]\nextends = \"default\"\n[profiles.p.network]\n\
         private_ranges = [\"127.0.0.0/8\"]\nresponse = \"16MiB\"\ntimeout = \"30s\"\n[[profiles.p.network.allow]]\nhost = \"127.0.0.1\"\n\
         schemes = [\"http\"]\nports = [{port}]\nmethods = [\"GET\"]\npaths = [\"/\"]\n"
    )
}

fn post(service: &Service, key: &str, path: &str, body: &Value) -> Answer {
    let bearer = format!("Bearer {key}");
    service.send(
        "POST",
        path,
        &[
            ("Authorization", &bearer),
            ("Content-Type", "application/json"),
        ],
        body.to_string().as_bytes(),
    )
}

/// Sends a body that stops short of its end.
fn unfinished(service: &Service, key: &str, size: usize, sent: usize) -> TcpStream {
    let mut stream = service.connect();
    let head = format!(
        "POST {RUN} HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {key}\r\nContent-Type: application/json\r\nContent-Length: {size}\r\n\r\n",
        service.address()
    );
    stream
        .write_all(head.as_bytes())
        .expect("the service reads");
    let piece = vec![b' '; 1 << 20];
    for _ in 0..sent >> 20 {
        if stream.write_all(&piece).is_err() {
            break;
        }
    }
    stream
}

fn session(service: &Service, key: &str) -> Option<String> {
    let answer = post(service, key, SESSIONS, &json!({ "language": "python" }));
    (answer.status == 201).then(|| {
        format!(
            "{SESSIONS}/{}",
            answer.json()["id"].as_str().expect("it has a name")
        )
    })
}

/// Sends a request whose response is never read.
fn unread(service: &Service, key: &str, path: &str) -> TcpStream {
    service.begin(
        "GET",
        path,
        &[("Authorization", &format!("Bearer {key}"))],
        b"",
    )
}

/// Runs a program with megabytes of output to its end, to be followed; `None` if there was no room
/// for it.
fn loud(service: &Service, key: &str) -> Option<String> {
    let body = python("import sys\nfor i in range(7):\n    sys.stdout.write('\x01' * (1 << 20))")
        .to_string();
    let bearer = format!("Bearer {key}");
    let headers = [
        ("Authorization", bearer.as_str()),
        ("Content-Type", "application/json"),
        ("Prefer", "respond-async"),
    ];
    let begun = service.send("POST", RUN, &headers, body.as_bytes());
    let id = (begun.status == 202).then(|| {
        begun.json()["id"]
            .as_str()
            .expect("it has a name")
            .to_owned()
    })?;
    eventually(Duration::from_secs(60), "it ends", || {
        let known = get(service, key, &format!("{RUN}/{id}"));
        known.status != 200
            || !["queued", "running"].contains(&known.json()["status"].as_str().unwrap_or_default())
    });
    Some(id)
}

fn get(service: &Service, key: &str, path: &str) -> Answer {
    service.send(
        "GET",
        path,
        &[("Authorization", &format!("Bearer {key}"))],
        b"",
    )
}

fn evaluate(service: &Service, key: &str, session: &str, source: &str) -> Answer {
    post(
        service,
        key,
        &format!("{session}/executions"),
        &json!({ "source": source }),
    )
}
