//! Resolver processes: how are uv and npm found, run and bounded?
//!
//! They are established third-party programs. They get no settings but ours, may not run any code
//! of a package, and have limits on time, files and memory.

use crate::disk;
use crate::store::{Store, failed};
use cap_std::fs::{Dir, PermissionsExt as _};
use glovebox::{Error, ProcessMemory};
use glovebox_host::program::{Program, Start};
use glovebox_host::tools::python;
use glovebox_policy::PackageGrant;
use std::io::Read as _;
use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::Child;

/// The Python resolver, pinned by the digests of its wheels.
const UV_REQUIREMENTS: &str = include_str!("../requirements.txt");

/// The timeout of one step of a resolver.
const RESOLVER_TIMEOUT: Duration = Duration::from_secs(180);

/// The largest file that a resolver may write, in bytes (`RLIMIT_FSIZE`).
const MAX_FILE_BYTES: u64 = 256 << 20;

/// The largest output in bytes. A resolution has some hundred packages.
const MAX_OUTPUT_BYTES: u64 = 16 << 20;

/// The size limit of a resolver's folder while it runs (bytes, entries): metadata of packages, and
/// no packages.
const MAX_FOLDER: (u64, u64) = (1 << 30, 200_000);

/// The largest memory limit of a resolver in bytes. Ordinary resolutions take a tenth of it.
pub(crate) const MAX_MEMORY: u64 = 1 << 30;

/// The interval of checks on the folder of a resolver.
const FOLDER_CHECK_INTERVAL: Duration = Duration::from_millis(100);

/// The interval of checks on its memory, in which a page of an index fills some ten MiB.
const MEMORY_CHECK_INTERVAL: Duration = Duration::from_millis(20);

/// Lines of a resolver's error output that are passed on.
const COMPLAINT_LINES: usize = 12;

/// Packages that an error lists.
const LISTED: usize = 10;

/// Prints the interpreter's real path: the one on `PATH` may be a version manager's shim.
const PRINT_EXECUTABLE: &str = "import sys; print(sys.executable)";

const PYTHON_ADVICE: &str = "fetching Python packages needs Python 3.9 or newer with pip, such as by `apt-get install python3-pip`";

/// Whether package indexes may be contacted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum IndexAccess {
    /// They are contacted where the store lacks something.
    #[default]
    Online,
    /// Only what is in the store is used.
    Offline,
}

/// The output of a tool.
pub(crate) struct Answer {
    pub(crate) out: String,
    pub(crate) complaint: String,
    pub(crate) code: Option<i32>,
}

/// A started tool. If it has not ended when this is dropped it is killed, and its memory stays
/// charged until it is gone.
struct Running {
    child: Option<Child>,
    memory: Option<Arc<ProcessMemory>>,
}

impl Running {
    async fn wait(&mut self) -> std::io::Result<ExitStatus> {
        match &mut self.child {
            Some(child) => child.wait().await,
            None => Err(std::io::ErrorKind::NotFound.into()),
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let (child, memory) = (self.child.take(), self.memory.take());
        // One that was reaped has no id any more.
        let Some(mut child) = child.filter(|child| child.id().is_some()) else {
            return;
        };
        let _ = child.start_kill();
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move {
                let _ = child.wait().await;
                drop(memory);
            });
        }
    }
}

/// Runs a tool to its end, or until it exceeds a limit. `folder` is where it writes, and `memory`
/// what it may use: a tool that works for no request has the most.
pub(crate) async fn run(
    mut start: Start,
    name: &str,
    input: &str,
    folder: Option<&Dir>,
    memory: Option<&Arc<ProcessMemory>>,
) -> Result<Answer, Error> {
    let mut command = start.largest_file(MAX_FILE_BYTES).tokio();
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let failed = |error: std::io::Error| Error::packages(format!("cannot run `{name}`: {error}"));
    let mut child = command.spawn().map_err(failed)?;
    let process = child.id();
    let mut stdin = child.stdin.take();
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    // Dropping it, as on all the errors below, kills it.
    let mut running = Running {
        child: Some(child),
        memory: memory.cloned(),
    };
    let fed = async {
        if let Some(mut stdin) = stdin.take() {
            // A tool that does not read its input reports the reason itself.
            let _ = stdin.write_all(input.as_bytes()).await;
        }
        Ok(())
    };
    let ended = async {
        let ((), out, complaint) =
            tokio::try_join!(fed, bounded(stdout), bounded(stderr)).map_err(failed)?;
        Ok::<_, Error>((out, complaint, running.wait().await.map_err(failed)?))
    };
    let watched = async {
        match folder {
            Some(folder) => Err::<std::convert::Infallible, _>(exceeds_folder(folder, name).await),
            None => std::future::pending().await,
        }
    };
    // It is reaped below, so its process id is not reused.
    let exceeded = exceeds_memory(
        process,
        name,
        memory.map_or(MAX_MEMORY, |memory| memory.bytes()),
    );
    let (out, complaint_text, status) = tokio::select! {
        ended = ended => ended?,
        exceeded = watched => match exceeded {
            Err(error) => return Err(error),
        },
        error = exceeded => return Err(error),
        () = tokio::time::sleep(RESOLVER_TIMEOUT) => return Err(Error::packages(format!("`{name}` did not end within {} s", RESOLVER_TIMEOUT.as_secs()))),
    };
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Ok(Answer {
        out: text(&out),
        complaint: complaint(&text(&complaint_text)),
        code: status.code(),
    })
}

/// Reads all output, up to the limit.
async fn bounded(from: Option<impl tokio::io::AsyncRead + Unpin>) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    if let Some(from) = from {
        from.take(MAX_OUTPUT_BYTES + 1)
            .read_to_end(&mut bytes)
            .await?;
    }
    if bytes.len() as u64 > MAX_OUTPUT_BYTES {
        return Err(std::io::Error::other(format!(
            "its answer has more than {} MiB",
            MAX_OUTPUT_BYTES >> 20
        )));
    }
    Ok(bytes)
}

/// Waits until a folder exceeds its limit.
pub(crate) async fn exceeds_folder(folder: &Dir, name: &str) -> Error {
    let mut pause = FOLDER_CHECK_INTERVAL;
    loop {
        tokio::time::sleep(pause).await;
        let began = std::time::Instant::now();
        let Ok(folder) = folder.try_clone() else {
            continue;
        };
        let used = tokio::task::spawn_blocking(move || disk::used(&folder))
            .await
            .unwrap_or_default();
        // The check must not take more of the machine than the resolver.
        pause = FOLDER_CHECK_INTERVAL.max(began.elapsed() * 4);
        if used.0 > MAX_FOLDER.0 || used.1 > MAX_FOLDER.1 {
            let (bytes, files) = MAX_FOLDER;
            let what = format!(
                "`{name}` was stopped: it wrote more than {} MiB or {files} files",
                bytes >> 20
            );
            return Error::packages(what);
        }
    }
}

/// Waits until a process exceeds its memory limit, `most`: an index's response may be compressed,
/// and is read whole.
async fn exceeds_memory(process: Option<u32>, name: &str, most: u64) -> Error {
    let Some(process) = process else {
        return std::future::pending().await;
    };
    let page = rustix::param::page_size() as u64;
    loop {
        tokio::time::sleep(MEMORY_CHECK_INTERVAL).await;
        #[expect(
            clippy::disallowed_methods,
            reason = "what the system says of a process that was started here"
        )]
        let about = std::fs::read_to_string(format!("/proc/{process}/statm")).unwrap_or_default();
        let resident = about
            .split(' ')
            .nth(1)
            .and_then(|pages| pages.parse::<u64>().ok())
            .unwrap_or(0);
        if resident.saturating_mul(page) > most {
            let part = if most < MAX_MEMORY {
                ", its part of what `limits.memory` of the service has left"
            } else {
                ""
            };
            let what = format!(
                "`{name}` was stopped: it took more than {} MiB of memory{part}",
                most >> 20
            );
            return Error::packages(what);
        }
    }
}

/// Reads a file that a tool has written, if it is not too long.
pub(crate) fn read(folder: &Dir, file: &str) -> std::io::Result<String> {
    let mut text = String::new();
    folder
        .open(file)?
        .take(MAX_OUTPUT_BYTES + 1)
        .read_to_string(&mut text)?;
    if text.len() as u64 > MAX_OUTPUT_BYTES {
        return Err(std::io::Error::other(format!(
            "`{file}` has more than {} MiB",
            MAX_OUTPUT_BYTES >> 20
        )));
    }
    Ok(text)
}

impl Answer {
    /// Returns the output if it succeeded.
    pub(crate) fn succeeded(self, what: &str) -> Result<String, Error> {
        if self.code == Some(0) {
            Ok(self.out)
        } else {
            Err(Error::packages(format!("{what}: {}", self.complaint)))
        }
    }
}

/// Returns the error output without decoration, truncated.
fn complaint(text: &str) -> String {
    let lines = text
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with("warning:"));
    let lines: Vec<&str> = lines.collect();
    let plain = |c: char| if c.is_control() { ' ' } else { c };
    let shown = lines.get(..COMPLAINT_LINES).unwrap_or(&lines).join(" ");
    shown
        .chars()
        .map(plain)
        .take(1000)
        .collect::<String>()
        .trim_start_matches("error: ")
        .to_owned()
}

/// Returns the requirements of a request in the syntax of its language's tools.
pub(crate) fn requirements(grant: &PackageGrant) -> Vec<String> {
    grant
        .requirements()
        .iter()
        .map(ToString::to_string)
        .collect()
}

/// Returns the error of packages that were never resolved, while no index may be contacted.
pub(crate) fn unresolved(grant: &PackageGrant, cause: Option<&str>) -> Error {
    let wanted = requirements(grant);
    let shown = wanted.iter().take(LISTED);
    let names: Vec<String> = shown.clone().map(|one| format!("`{one}`")).collect();
    let arguments: Vec<String> = shown.map(|one| argument(one)).collect();
    let more = if wanted.len() > LISTED { " .." } else { "" };
    let language = match grant.language() {
        "python" => String::new(),
        language => format!("--language {language} "),
    };
    let (is, it) = match wanted.len() {
        1 => ("is", "it"),
        _ => ("are", "them"),
    };
    let cause = cause
        .map(|cause| format!("; cause: {cause}"))
        .unwrap_or_default();
    Error::packages(format!(
        "the run is offline, and {}{more} {is} not in the package cache; \
         `glovebox packages prefetch {language}{}{more}` fetches {it} beforehand{cause}",
        names.join(", "),
        arguments.join(" ")
    ))
}

/// Returns a requirement as an argument of a shell's command.
fn argument(requirement: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_.@/=,".contains(c);
    if requirement.chars().all(is_plain) {
        requirement.to_owned()
    } else {
        format!("'{requirement}'")
    }
}

/// Returns the Python resolver, downloaded if it is not in the store.
pub(crate) async fn uv(
    store: &Arc<Store>,
    access: IndexAccess,
    progress: &(dyn Fn(&str) + Send + Sync),
) -> Result<Program, Error> {
    let version = UV_REQUIREMENTS
        .lines()
        .find_map(|line| line.strip_prefix("uv=="))
        .map(|rest| rest.trim_end_matches([' ', '\\']));
    let version = version.unwrap_or_default();
    let folder = PathBuf::from(format!("tools/uv-{version}"));
    let program = folder.join("bin/uv");
    if let Some(found) = store.program(&program)? {
        return Ok(found);
    }
    if access == IndexAccess::Offline {
        return Err(Error::packages(
            "the run is offline, and the package cache lacks the resolver of Python packages; \
             `glovebox packages prefetch` with the packages of this run fetches it beforehand"
                .to_owned(),
        ));
    }
    progress(&format!(
        "fetching the resolver of Python packages (uv {version}); this happens once"
    ));
    let work = store.work()?;
    work.directory
        .write("requirements.txt", UV_REQUIREMENTS)
        .map_err(failed(&work.path))?;
    let half = work.path.join("uv");
    let mut pip = python().map_err(|error| Error::packages(format!("{error}; {PYTHON_ADVICE}")))?;
    pip.args([
        "-m",
        "pip",
        "install",
        "--quiet",
        "--no-input",
        "--disable-pip-version-check",
        "--no-warn-script-location",
    ])
    .args([
        "--no-deps",
        "--require-hashes",
        "--only-binary",
        ":all:",
        "--no-compile",
        "--target",
    ])
    .arg(&half)
    .arg("--requirement")
    .arg(work.path.join("requirements.txt"));
    run(pip, "python3 -m pip", "", Some(&work.directory), None)
        .await?
        .succeeded(PYTHON_ADVICE)?;
    work.directory
        .set_permissions("uv/bin/uv", cap_std::fs::Permissions::from_mode(0o755))
        .map_err(failed(&work.path))?;
    let folder = store.at(&folder);
    let renamed = std::fs::rename(&half, &folder).map_err(failed(&folder));
    // Another process may have been quicker.
    store.program(&program)?.map_or_else(
        || {
            Err(renamed.err().unwrap_or_else(|| {
                Error::packages(format!("`{}` has no `bin/uv`", folder.display()))
            }))
        },
        Ok,
    )
}

/// Returns the interpreter for the Python resolver: the one on `PATH`, and none that it would find
/// by itself in a directory.
pub(crate) async fn interpreter() -> Result<Program, Error> {
    let mut python =
        python().map_err(|error| Error::packages(format!("{error}; {PYTHON_ADVICE}")))?;
    python.args(["-c", PRINT_EXECUTABLE]);
    let path = run(python, "python3", "", None, None)
        .await?
        .succeeded(PYTHON_ADVICE)?;
    Program::trusted(path.trim()).map_err(|error| Error::packages(error.to_string()))
}

/// Returns the CA bundle of this system.
pub(crate) fn certificates() -> Option<PathBuf> {
    const PLACES: [&str; 3] = [
        "/etc/ssl/certs/ca-certificates.crt",
        "/etc/pki/tls/certs/ca-bundle.crt",
        "/etc/ssl/cert.pem",
    ];
    #[expect(
        clippy::disallowed_methods,
        reason = "the usual variable that names the trusted authorities"
    )]
    let said = std::env::var_os("SSL_CERT_FILE")
        .map(PathBuf::from)
        .filter(|path| path.is_absolute());
    said.into_iter()
        .chain(PLACES.map(PathBuf::from))
        .find(|file| file.is_file())
}
