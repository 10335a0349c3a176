//! Benchmark of the HTTP service: what does it cost, against the library?
//!
//! The program `glovebox serve` on loopback, with one client for each keep-alive connection.
//! Clients and service share the machine.

use crate::measure::Samples;
use anyhow::{Context as _, Result, ensure};
use glovebox::{Request, Sandbox, Status};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

/// Concurrent clients.
const CLIENTS: usize = 32;

/// Duration of a throughput measurement.
const WINDOW: Duration = Duration::from_secs(5);

/// Executions after which memory is measured first, and last.
const EXECUTIONS: [usize; 2] = [1_000, 100_000];

/// Minimal programs that print and end, by language, with the required rate in runs per second.
const HELLO: [(&str, &str, f64); 2] = [
    ("javascript", "console.log(1)", 5000.0),
    ("python", "print(1)", 600.0),
];

/// A service process for the benchmark.
struct Service {
    process: Child,
    address: String,
    folder: TempDir,
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the service is a process of its own"
)]
fn glovebox(arguments: &[&str]) -> Result<Command> {
    let own = std::env::current_exe()?;
    let mut command = Command::new(own.with_file_name("glovebox"));
    command.args(arguments);
    Ok(command)
}

#[expect(
    clippy::disallowed_methods,
    reason = "the bench starts a service of its own, calls it, and looks at its memory"
)]
impl Service {
    fn start() -> Result<Self> {
        let folder = TempDir::new()?;
        let config = folder.path().join("config.toml");
        std::fs::write(&config, "[containers]\nenabled = false\n")?;
        let mut process = glovebox(&["serve", "--listen", "127.0.0.1:0", "--state"])?
            .arg(folder.path())
            .arg("--config")
            .arg(config)
            .env("RUST_LOG", "warn")
            .stderr(Stdio::piped())
            .spawn()
            .context("`cargo build --release --workspace` makes the program")?;
        let mut lines = BufReader::new(process.stderr.take().context("it has a log")?).lines();
        let line = lines
            .find_map(|line| {
                line.ok()?
                    .split_once("http://")
                    .map(|(_, rest)| rest.to_owned())
            })
            .context("it does not start")?;
        std::thread::spawn(move || lines.for_each(drop));
        let address = line.split(',').next().unwrap_or_default().to_owned();
        Ok(Self {
            process,
            address,
            folder,
        })
    }

    fn key(&self, name: &str) -> Result<String> {
        let output = glovebox(&["keys", "create", name, "--state"])?
            .arg(self.folder.path())
            .output()?;
        Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
    }

    fn client(&self, key: &str, language: &str, source: &str, limits: &str) -> Result<Client> {
        let body = format!(r#"{{"language":"{language}","source":"{source}","limits":{limits}}}"#);
        let request = format!(
            "POST /v1/executions HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {key}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        let stream = TcpStream::connect(&self.address)?;
        stream.set_nodelay(true)?;
        Ok(Client {
            stream: BufReader::new(Awake(stream)),
            request,
        })
    }

    fn resident(&self) -> Result<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.process.id()))?;
        let line = status
            .lines()
            .find_map(|line| line.strip_prefix("VmRSS:"))
            .context("the system says how much")?;
        Ok(line.trim().trim_end_matches(" kB").parse::<u64>()? << 10)
    }
}

/// A client with one keep-alive connection.
struct Client {
    stream: BufReader<Awake>,
    request: String,
}

/// A non-blocking stream that busy-waits for data; a blocking stream is read as usual.
struct Awake(TcpStream);

impl std::io::Read for Awake {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        loop {
            match self.0.read(buffer) {
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {
                    std::hint::spin_loop()
                }
                result => return result,
            }
        }
    }
}

impl Client {
    /// Busy-waits for responses: on an idle machine, waking a sleeping client takes longer than all
    /// the work of the service.
    fn stay_awake(self) -> Result<Self> {
        self.stream.get_ref().0.set_nonblocking(true)?;
        Ok(self)
    }

    /// Runs the program once; returns the response body.
    fn run(&mut self) -> Result<String> {
        self.stream.get_mut().0.write_all(self.request.as_bytes())?;
        let (mut length, mut line) = (0, String::new());
        loop {
            line.clear();
            ensure!(
                self.stream.read_line(&mut line)? > 0,
                "the service closed the connection"
            );
            let lower = line.to_ascii_lowercase();
            if let Some(value) = lower.strip_prefix("content-length:") {
                length = value.trim().parse()?;
            }
            if line == "\r\n" {
                break;
            }
        }
        let mut body = vec![0; length];
        self.stream.read_exact(&mut body)?;
        Ok(String::from_utf8(body)?)
    }

    fn succeed(&mut self) -> Result<()> {
        let body = self.run()?;
        ensure!(body.contains(r#""status":"succeeded""#), "{body}");
        Ok(())
    }

    fn samples(&mut self, number: usize) -> Result<Samples> {
        let mut samples = Vec::new();
        for _ in 0..number {
            let started = Instant::now();
            self.succeed()?;
            samples.push(started.elapsed());
        }
        Ok(Samples::new(samples))
    }
}

/// Measures throughput: executions in a time window by many concurrent clients. They share one
/// thread, as in a load generator, because the service needs the processors.
fn rate(clients: Vec<Client>) -> Result<f64> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let started = Instant::now();
        let mut tasks = tokio::task::JoinSet::new();
        for client in clients {
            let (stream, request) = (client.stream.into_inner().0, client.request);
            stream.set_nonblocking(true)?;
            let mut stream = tokio::net::TcpStream::from_std(stream)?;
            tasks.spawn(async move {
                let (mut runs, mut answer) = (0, Vec::new());
                while started.elapsed() < WINDOW {
                    stream.write_all(request.as_bytes()).await?;
                    answer.clear();
                    while !is_whole(&answer) {
                        ensure!(
                            stream.read_buf(&mut answer).await? > 0,
                            "the service closed the connection"
                        );
                    }
                    const SUCCEEDED: &[u8] = br#""status":"succeeded""#;
                    ensure!(
                        answer
                            .windows(SUCCEEDED.len())
                            .any(|part| part == SUCCEEDED),
                        "{}",
                        String::from_utf8_lossy(&answer)
                    );
                    runs += 1;
                }
                Ok(runs)
            });
        }
        let mut runs = 0;
        while let Some(ended) = tasks.join_next().await {
            runs += ended??;
        }
        Ok(f64::from(runs) / started.elapsed().as_secs_f64())
    })
}

/// Returns whether a response with `Content-Length` is complete.
fn is_whole(answer: &[u8]) -> bool {
    let Some(end) = answer.windows(4).position(|part| part == b"\r\n\r\n") else {
        return false;
    };
    let head = String::from_utf8_lossy(answer.get(..end).unwrap_or_default()).to_ascii_lowercase();
    let length = head.lines().find_map(|line| {
        line.strip_prefix("content-length:")?
            .trim()
            .parse::<usize>()
            .ok()
    });
    length.is_some_and(|length| answer.len() >= end + 4 + length)
}

/// One client and many, against the library with as many tasks.
pub(crate) fn service() -> Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    let sandbox = Sandbox::builder().build()?;
    let service = Service::start()?;
    let key = service.key("bench")?;
    for (language, source, least) in HELLO {
        let library = runtime.block_on(async {
            let mut samples = Vec::new();
            for _ in 0..2000 {
                let started = Instant::now();
                let outcome = sandbox.run(Request::new(language, source)).await?;
                samples.push(started.elapsed());
                ensure!(outcome.status == Status::Succeeded, "{outcome:?}");
            }
            Ok(Samples::new(samples))
        })?;
        library.print(&format!("{language}, the library"));
        let mut client = service.client(&key, language, source, "{}")?.stay_awake()?;
        client.samples(200)?;
        let http = client.samples(2000)?;
        http.print(&format!("{language}, one client"));
        let more = http.median().saturating_sub(library.median());
        println!(
            "  {language}: HTTP adds {:.3} ms at the median",
            more.as_secs_f64() * 1e3
        );
        let clients = (0..CLIENTS)
            .map(|_| service.client(&key, language, source, "{}"))
            .collect::<Result<_>>()?;
        println!(
            "  {language}: {:.0} runs a second by {CLIENTS} clients (at least {least:.0} are asked for)",
            rate(clients)?
        );
    }
    Ok(())
}

/// Latency of a small tenant while another tenant floods the service, against the same on an idle
/// service.
pub(crate) fn fairness() -> Result<()> {
    let service = Service::start()?;
    let (flood, small) = (service.key("flood")?, service.key("canary")?);
    let mut canary = service.client(&small, "javascript", "console.log(1)", "{}")?;
    canary.samples(200)?;
    let idle = canary.samples(1000)?;
    idle.print("a canary, alone");
    let over = std::sync::atomic::AtomicBool::new(false);
    let busy = std::thread::scope(|scope| -> Result<Samples> {
        for _ in 0..CLIENTS {
            let mut client =
                service.client(&flood, "javascript", "for(;;){}", r#"{"wall_ms":300}"#)?;
            let over = &over;
            scope.spawn(move || {
                while !over.load(std::sync::atomic::Ordering::Relaxed) && client.run().is_ok() {}
            });
        }
        std::thread::sleep(Duration::from_millis(500));
        let samples = canary.samples(1000);
        over.store(true, std::sync::atomic::Ordering::Relaxed);
        samples
    })?;
    busy.print("a canary, beside a flood of busy programs");
    println!(
        "  p99 is {:.1} times as long (5 at most are asked for)",
        busy.quantile(99).as_secs_f64() / idle.quantile(99).as_secs_f64()
    );
    Ok(())
}

/// Memory of the service after many executions, against after few.
pub(crate) fn service_memory() -> Result<()> {
    let service = Service::start()?;
    let key = service.key("bench")?;
    let mut sizes = Vec::new();
    let mut done = 0;
    for executions in EXECUTIONS {
        let each = (executions - done) / CLIENTS;
        let tasks: Vec<_> = (0..CLIENTS)
            .map(|_| service.client(&key, "javascript", "console.log(1)", "{}"))
            .map(|client| {
                client.map(|mut client| {
                    std::thread::spawn(move || (0..each).try_for_each(|_| client.succeed()))
                })
            })
            .collect::<Result<_>>()?;
        for task in tasks {
            task.join()
                .map_err(|_| anyhow::anyhow!("a client panicked"))??;
        }
        done = executions;
        let size = service.resident()?;
        println!(
            "  after {executions} executions: {:.1} MiB",
            size as f64 / f64::from(1 << 20)
        );
        sizes.push(size as f64);
    }
    if let [first, last] = sizes.as_slice() {
        println!("  grown by {:.1} %", (last / first - 1.0) * 100.0);
    }
    Ok(())
}
