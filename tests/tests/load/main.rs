//! Load test: does the service keep everything isolated, and leak nothing, under a heavy mixed
//! load?
//!
//! Over real HTTP, against the program `glovebox serve`, by clients with keep-alive connections.
//! The oracles are outside: the expected output of each program is computed here from a number of
//! its own, and the kernel and the engine report what the process still holds.

mod client;
mod drive;
mod programs;
mod resources;

use glovebox::Policy;
use glovebox_tests::engine;
use glovebox_tests::place::eventually;
use glovebox_tests::service::{Answer, RUN, Service};
use glovebox_tests::tree::program;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;
use std::fmt::Debug;
use std::fs;
use std::io::{self, BufRead, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

const SESSIONS: &str = "/v1/sessions";

/// Concurrent clients.
const CLIENTS: usize = 64;

/// Clients that open sessions; each keeps the memory of a guest for as long as its session is open.
const SESSION_CLIENTS: usize = 8;

/// Clients that run containers; more concurrency would measure the engine.
const SHELL_CLIENTS: usize = 4;

/// Keys that the clients share.
const KEYS: usize = 4;

/// Executions after the warm-up.
const EXECUTIONS: usize = 10_000;

/// The number of rounds of [`MIX`] in that.
const ROUNDS: usize = 20;

/// The seed of the order of requests.
const SEED: u64 = 0x9e37_79b9_7f4a_7c15;

/// Timeout of an asynchronous execution.
const PATIENCE: Duration = Duration::from_secs(60);

/// Timeout of the service's cleanup.
const SETTLE: Duration = Duration::from_secs(30);

/// The idle time after which a blocking thread ends.
const IDLE_THREADS_END: Duration = Duration::from_secs(12);

/// Idle containers of a service by default.
const POOL: usize = 2;

/// Connections of the service's pool to its database; it opens them lazily and keeps them, each
/// with its thread and three files.
const DATABASE: usize = 4;

/// Its further connections, for writes and maintenance, each with three files.
const WRITERS: usize = 2;

/// Records on a page of a list.
const PAGE: usize = 100;

/// Bytes by which the service may grow after the warm-up. Its caches, such as events of the last
/// minutes, are included.
const GROWTH: u64 = 30 << 20;

/// Bytes of input, output and files of the first programs.
const LARGE: usize = 64 << 10;
