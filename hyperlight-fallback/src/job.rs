//! Wire protocol of a container run: how does a job get into its container, and how do its files come back?
//!
//! Everything goes over standard input and output: the engine's copy API neither sees tmpfs mounts nor works on a read-only container, and
//! costs a request. What comes back is untrusted and is validated entry by entry.

use crate::egress;
use crate::seccomp::{self, Sockets};
use bytes::Bytes;
use globset::GlobSet;
use glovebox::{Artifact, Error};
use glovebox_policy::{Grant, InputFile, Source};
use serde::Deserialize;
use std::io::Read as _;
use std::time::Duration;

/// Maximum artifacts of one run.
const MAX_ARTIFACTS: usize = 1000;

/// Maximum entries of an archive that are read.
const MAX_ENTRIES: usize = 200_000;

/// Margin after the wall-clock limit, after which the container ends the program itself (backstop for a failed host).
const BACKSTOP: Duration = Duration::from_secs(5);

/// Fuel per CPU second, as the wasm tier measures it.
const FUEL_PER_SECOND: u64 = 1_000_000_000;

/// The file to which a driver writes the program's value or exception.
const COMPLETION: &str = "/program/.completion";

/// The certificate of the local certificate authority, relative to the program folder.
const AUTHORITY: &str = ".authority.pem";

/// The proxy and CA variables. The request's own variables come later and take precedence.
fn egress_environment() -> Vec<String> {
    let proxy = format!("http://127.0.0.1:{}", egress::PORT);
    let proxies = [
        "http_proxy",
        "https_proxy",
        "all_proxy",
        "HTTP_PROXY",
        "HTTPS_PROXY",
        "ALL_PROXY",
    ];
    let trusted = [
        "SSL_CERT_FILE",
        "CURL_CA_BUNDLE",
        "REQUESTS_CA_BUNDLE",
        "NODE_EXTRA_CA_CERTS",
        "GIT_SSL_CAINFO",
        "PIP_CERT",
        "AWS_CA_BUNDLE",
    ];
    let proxies = proxies.map(|name| format!("{name}={proxy}"));
    proxies
        .into_iter()
        .chain(trusted.map(|name| format!("{name}=/program/{AUTHORITY}")))
        .collect()
}

/// The driver of a language: how its programs are started.
struct Driver {
    command: &'static [&'static str],
    /// Files that it needs besides the program, by paths relative to the program folder.
    files: &'static [(&'static str, &'static str)],
}

const SHELL: Driver = Driver {
    command: &["bash"],
    files: &[],
};

const JAVASCRIPT: Driver = Driver {
    command: &["node", "/program/.guest/driver.cjs"],
    files: &[(".guest/driver.cjs", include_str!("drivers/driver.cjs"))],
};

/// Unbuffered (`-u`), and without the driver's own folder on the import path (`-P`).
static PYTHON: Driver = Driver {
    command: &[
        "python3",
        "-u",
        "-P",
        "/program/.guest/driver.py",
        "/program/.guest",
    ],
    files: &PYTHON_FILES,
};

static PYTHON_FILES: [(&str, &str); 5] = {
    let [own, value, report, evaluation] = glovebox_guests::PYTHON_EVALUATION;
    [
        (".guest/driver.py", include_str!("drivers/driver.py")),
        (".guest/own.py", own.1),
        (".guest/value.py", value.1),
        (".guest/report.py", report.1),
        (".guest/evaluation.py", evaluation.1),
    ]
};

/// The report of a driver.
#[derive(Default, Deserialize)]
pub(crate) struct Completion {
    pub(crate) value: Option<ToldValue>,
    pub(crate) exception: Option<ToldException>,
}

/// The value of the last expression.
#[derive(Deserialize)]
pub(crate) struct ToldValue {
    pub(crate) json: Option<String>,
    pub(crate) text: String,
}

/// The uncaught exception.
#[derive(Deserialize)]
pub(crate) struct ToldException {
    pub(crate) kind: String,
    pub(crate) message: String,
    pub(crate) traceback: String,
}

/// Returns the maximum bytes of a driver's report: a value twice, or an exception, each with its JSON overhead.
pub(crate) fn completion_limit(grant: &Grant) -> u64 {
    grant
        .limits()
        .value
        .saturating_mul(4)
        .saturating_add(2 << 20)
}

/// Returns the maximum lifetime of a program, after which the container ends it without the host.
pub(crate) fn lifetime(grant: &Grant) -> Duration {
    grant.limits().wall.saturating_add(BACKSTOP)
}

/// The job that is sent to the waiter, up to where the program's standard input begins.
pub(crate) struct Message {
    pub(crate) bytes: Bytes,
    /// The delimiter before the waiter's trailer.
    pub(crate) mark: String,
}

/// Serializes a job.
pub(crate) fn message(
    grant: &Grant,
    (source, arguments): (&Source, &[String]),
    files: &[InputFile],
    wants_files: bool,
    local_ca: Option<&str>,
) -> Result<Message, Error> {
    let (driver, extension) = match grant.language() {
        "shell" => (&SHELL, "sh"),
        "python" => (&PYTHON, "py"),
        "javascript" => (&JAVASCRIPT, "js"),
        other => return Err(Error::Invalid(format!("no container speaks `{other}`"))),
    };
    let name = program_name(&source.name, extension);
    let most = completion_limit(grant);
    let mut environment = vec!["PATH=/usr/local/bin:/usr/bin:/bin".to_owned()];
    if driver.files.is_empty() {
        // Shell scripts have a `HOME`; the guests' languages have none in any tier.
        environment.push("HOME=/work".to_owned());
    }
    if local_ca.is_some() {
        environment.extend(egress_environment());
    }
    environment.extend(
        grant
            .environment()
            .iter()
            .map(|(name, value)| format!("{name}={value}")),
    );
    let mut command: Vec<String> = driver
        .command
        .iter()
        .map(|word| (*word).to_owned())
        .collect();
    command.push(format!("/program/{name}"));
    if !driver.files.is_empty() {
        command.extend([source.name.clone(), COMPLETION.to_owned(), most.to_string()]);
    }
    command.extend(arguments.iter().cloned());
    let ended = |texts: &[String]| {
        texts
            .iter()
            .flat_map(|text| text.bytes().chain([0]))
            .collect::<Vec<u8>>()
    };
    let (environment, command) = (ended(&environment), ended(&command));
    let own = [
        (".environment", environment.as_slice()),
        (".command", command.as_slice()),
        (name.as_str(), source.content.as_ref()),
    ];
    let control = archive(
        own.into_iter()
            .chain(local_ca.map(|pem| (AUTHORITY, pem.as_bytes())))
            .chain(
                driver
                    .files
                    .iter()
                    .map(|(path, text)| (*path, text.as_bytes())),
            ),
    )?;
    let workspace = if files.is_empty() {
        Vec::new()
    } else {
        archive(
            files
                .iter()
                .map(|file| (file.path.as_str(), file.content.as_ref())),
        )?
    };
    let limits = grant.limits();
    let mark = format!("glovebox-{:032x}", rand::random::<u128>());
    // If the container may make more sockets than the program, the program gets a seccomp filter of its own.
    let may_differ = Sockets::of_container(grant) != Sockets::of_program(grant);
    let (prctl, filter) = if may_differ {
        seccomp::filter()
    } else {
        (0, "-".to_owned())
    };
    let header = format!(
        "{mark} {} {} {} {} {} {} {most} {} {prctl} {filter}\n",
        control.len(),
        workspace.len(),
        lifetime(grant).as_secs(),
        limits.fuel.div_ceil(FUEL_PER_SECOND).max(1),
        limits.open_files,
        u8::from(wants_files),
        if local_ca.is_some() { egress::PORT } else { 0 }
    );
    Ok(Message {
        bytes: [header.as_bytes(), &control, &workspace].concat().into(),
        mark,
    })
}

/// Returns the file name of the program in error messages.
fn program_name(asked: &str, extension: &str) -> String {
    let last = asked.rsplit('/').next().unwrap_or_default();
    if last.is_empty() || last.starts_with('.') || last == "-" {
        format!("main.{extension}")
    } else {
        last.to_owned()
    }
}

fn archive<'a>(files: impl IntoIterator<Item = (&'a str, &'a [u8])>) -> Result<Vec<u8>, Error> {
    let mut archive = tar::Builder::new(Vec::new());
    for (path, content) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        archive
            .append_data(&mut header, path, content)
            .map_err(|error| {
                Error::Invalid(format!("the file `{path}` cannot be sent: {error}"))
            })?;
    }
    archive
        .into_inner()
        .map_err(|error| Error::Host(error.to_string()))
}

/// Returns the maximum bytes that a waiter may send after its trailer line.
pub(crate) fn reply_limit(grant: &Grant, wants_files: bool) -> usize {
    let completion = usize::try_from(completion_limit(grant)).unwrap_or(usize::MAX);
    completion.saturating_add(if wants_files { archive_limit(grant) } else { 0 })
}

/// Returns the maximum size of the workspace's archive in bytes.
fn archive_limit(grant: &Grant) -> usize {
    let limits = grant.limits();
    // A header, a long name and padding for each entry, and the end-of-archive blocks.
    let bytes = limits
        .workspace
        .saturating_add(
            limits
                .files
                .saturating_add(2)
                .saturating_mul(3 * 512 + 8192),
        )
        .saturating_add(64 << 10);
    usize::try_from(bytes).unwrap_or(usize::MAX)
}

/// Returns the regular files of an archive that match the patterns, and whether there were more than the limits allow.
///
/// Symlinks, hard links, devices and paths outside the workspace are skipped.
pub(crate) fn artifacts(
    archive: &[u8],
    patterns: &GlobSet,
    max_bytes: u64,
) -> (Vec<Artifact>, bool) {
    let (mut found, mut is_truncated, mut bytes) = (Vec::<Artifact>::new(), false, 0);
    let mut reader = tar::Archive::new(archive);
    let Ok(entries) = reader.entries() else {
        return (found, true);
    };
    for (count, entry) in entries.enumerate() {
        let Some(mut entry) = entry.ok().filter(|_| count < MAX_ENTRIES) else {
            is_truncated = true;
            break;
        };
        if entry.header().entry_type() != tar::EntryType::Regular {
            continue;
        }
        let Some(path) = entry.path().ok().and_then(|path| relative(&path)) else {
            continue;
        };
        if !patterns.is_match(&path) || found.iter().any(|other| other.path == path) {
            continue;
        }
        bytes += entry.size();
        if bytes > max_bytes || found.len() >= MAX_ARTIFACTS {
            is_truncated = true;
            break;
        }
        let mut content = Vec::new();
        if entry.read_to_end(&mut content).is_err() {
            is_truncated = true;
            break;
        }
        found.push(Artifact { path, content });
    }
    (found, is_truncated)
}

/// Returns the path relative to the workspace, if it is inside and normalized.
fn relative(path: &std::path::Path) -> Option<String> {
    use std::path::Component;
    let mut names = Vec::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::Normal(name) => names.push(name.to_str()?),
            _ => return None,
        }
    }
    (!names.is_empty()).then(|| names.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use globset::{Glob, GlobSetBuilder};

    fn all() -> GlobSet {
        GlobSetBuilder::new()
            .add(Glob::new("**").unwrap())
            .build()
            .unwrap()
    }

    fn entry(
        builder: &mut tar::Builder<Vec<u8>>,
        name: &[u8],
        kind: tar::EntryType,
        content: &[u8],
        link: &str,
    ) {
        let mut header = tar::Header::new_gnu();
        header.as_mut_bytes()[..name.len()].copy_from_slice(name);
        header.set_entry_type(kind);
        header.set_size(content.len() as u64);
        header.set_mode(0o6755);
        if !link.is_empty() {
            header.set_link_name(link).unwrap();
        }
        header.set_cksum();
        builder.append(&header, content).unwrap();
    }

    /// Rows FS22, FS23, FS25 and FS26: a program's output is untrusted data, and only regular files of the workspace come back.
    #[test]
    fn only_regular_files_inside_come_back() {
        use tar::EntryType;
        let mut builder = tar::Builder::new(Vec::new());
        entry(&mut builder, b"./", EntryType::Directory, b"", "");
        entry(&mut builder, b"./a.txt", EntryType::Regular, b"one", "");
        entry(&mut builder, b"./d/b.txt", EntryType::Regular, b"two", "");
        entry(&mut builder, b"../x", EntryType::Regular, b"out", "");
        entry(&mut builder, b"/etc/x", EntryType::Regular, b"out", "");
        entry(&mut builder, b"d/../../x", EntryType::Regular, b"out", "");
        entry(
            &mut builder,
            b"link",
            EntryType::Symlink,
            b"",
            "/etc/shadow",
        );
        entry(&mut builder, b"hard", EntryType::Link, b"", "a.txt");
        entry(&mut builder, b"dev", EntryType::Char, b"", "");
        entry(&mut builder, b"pipe", EntryType::Fifo, b"", "");
        entry(&mut builder, b"./a.txt", EntryType::Regular, b"again", "");
        entry(
            &mut builder,
            b"bad\xff",
            EntryType::Regular,
            b"not UTF-8",
            "",
        );
        let bytes = builder.into_inner().unwrap();
        let (found, is_truncated) = artifacts(&bytes, &all(), 1000);
        let found: Vec<_> = found
            .iter()
            .map(|one| (one.path.as_str(), one.content.as_slice()))
            .collect();
        assert_eq!(found, [("a.txt", b"one".as_slice()), ("d/b.txt", b"two")]);
        assert!(!is_truncated);
        let (found, is_truncated) = artifacts(&bytes, &all(), 4);
        assert_eq!((found.len(), is_truncated), (1, true));
        let half = &bytes[..bytes.len() / 3];
        artifacts(half, &all(), 1000);
        assert!(
            artifacts(
                b"no archive at all, but long enough to look like one",
                &all(),
                1000
            )
            .0
            .is_empty()
        );
    }

    #[test]
    fn a_program_has_a_name_of_its_own() {
        for (asked, name) in [
            ("-", "main.sh"),
            ("a/b/run.sh", "run.sh"),
            (".command", "main.sh"),
            ("", "main.sh"),
            ("x y", "x y"),
        ] {
            assert_eq!(program_name(asked, "sh"), name);
        }
    }
}
