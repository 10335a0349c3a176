//! Job message: how does a program get into its container?
//!
//! Over standard input, as one header line for `init.sh` and two archives: the engine's copy API
//! neither sees tmpfs mounts nor works on a read-only container, and costs a request.

use crate::container::{MountSource, identities};
use crate::protocol::{
    COMPLETION, EGRESS_PORT, FUEL_PER_SECOND, WorkspaceArchive, completion_limit, has_egress,
    lifetime,
};
use crate::seccomp::{self, Sockets};
use crate::transform::Script;
use bytes::Bytes;
use glovebox::Error;
use glovebox_policy::{Grant, InputFile, Source};

/// The file with the identity of this boot of the kernel, which differs for any other kernel.
const BOOT: &str = "/proc/sys/kernel/random/boot_id";

/// The certificate of the local certificate authority, relative to the program folder.
const LOCAL_CA: &str = ".ca.pem";

/// The variables by which HTTP clients use the egress proxy, and trust its CA if there is a
/// network. The request's own variables come later and take precedence.
fn egress_environment(local_ca: Option<&str>) -> Vec<String> {
    let proxy = format!("http://127.0.0.1:{}", EGRESS_PORT);
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
    let mut variables: Vec<_> = proxies.map(|name| format!("{name}={proxy}")).into();
    if local_ca.is_some() {
        variables.extend(trusted.map(|name| format!("{name}=/program/{LOCAL_CA}")));
    }
    variables
}

/// The variables of every program; the first three are those of the guests. Libraries with native
/// code keep caches, which are no results: in the workspace they would be among its artifacts.
const ENVIRONMENT: [&str; 5] = [
    "HOME=/work",
    "LANG=C.UTF-8",
    "PATH=/usr/local/bin:/usr/bin:/bin",
    "XDG_CACHE_HOME=/tmp/.cache",
    "MPLCONFIGDIR=/tmp/.cache/matplotlib",
];

/// The driver of a language: how its programs are started.
struct Driver {
    extension: &'static str,
    command: &'static [&'static str],
    /// The command of a session, if it is another one.
    session: Option<&'static [&'static str]>,
    /// Files that it needs besides the program, by paths relative to the program folder.
    files: &'static [(&'static str, &'static str)],
    /// Whether it reports the program's value or exception.
    reports: bool,
}

const SHELL: Driver = Driver {
    extension: "sh",
    command: &["bash"],
    session: Some(&["bash", "-c", SHELL_SESSION]),
    files: &[(".guest/session.bash", include_str!("drivers/session.bash"))],
    reports: false,
};

/// An interactive shell that reads its commands from the session's requests. Until its start file
/// has run, it complains that there is no terminal.
const SHELL_SESSION: &str = "exec 9>&2; \
     exec bash --noprofile --rcfile /program/.guest/session.bash --noediting -i <&6 6<&- 2>/dev/null";

const JAVASCRIPT: Driver = Driver {
    extension: "js",
    command: &["node", "/program/.guest/driver.cjs"],
    session: None,
    files: &JAVASCRIPT_FILES,
    reports: true,
};

const JAVASCRIPT_FILES: [(&str, &str); 4] = [
    (".guest/driver.cjs", include_str!("drivers/driver.cjs")),
    (".guest/imports.cjs", include_str!("drivers/imports.cjs")),
    (".guest/session.cjs", include_str!("drivers/session.cjs")),
    (".guest/results.js", glovebox_guests::JAVASCRIPT_RESULTS),
];

/// JavaScript's driver, which transforms programs if TypeScript's lies beside it.
const TYPESCRIPT: Driver = Driver {
    extension: "ts",
    files: &TYPESCRIPT_FILES,
    ..JAVASCRIPT
};

const TYPESCRIPT_FILES: [(&str, &str); 7] = {
    let [driver, imports, session, results] = JAVASCRIPT_FILES;
    let [transform, compiler] = glovebox_guests::TYPESCRIPT_TRANSFORM;
    [
        driver,
        imports,
        session,
        results,
        (
            ".guest/typescript.cjs",
            include_str!("drivers/typescript.cjs"),
        ),
        (".guest/transform.js", transform.1),
        (".guest/compiler.js", compiler.1),
    ]
};

/// Unbuffered (`-u`), without the driver's own folder on the import path (`-P`), and without
/// bytecode beside modules of the workspace (`-B`).
static PYTHON: Driver = Driver {
    extension: "py",
    command: &[
        "python3",
        "-u",
        "-P",
        "-B",
        "/program/.guest/driver.py",
        "/program/.guest",
    ],
    session: None,
    files: &PYTHON_FILES,
    reports: true,
};

impl Driver {
    fn of(grant: &Grant) -> Result<&'static Self, Error> {
        match grant.language() {
            "shell" => Ok(&SHELL),
            "python" => Ok(&PYTHON),
            "javascript" => Ok(&JAVASCRIPT),
            "typescript" => Ok(&TYPESCRIPT),
            other => Err(Error::unsupported(format!("no container runs `{other}`"))),
        }
    }
}

static PYTHON_FILES: [(&str, &str); 8] = {
    let [own, own_file, value, report, results, evaluation] = glovebox_guests::PYTHON_EVALUATION;
    [
        (".guest/driver.py", include_str!("drivers/driver.py")),
        (".guest/glovebox.py", include_str!("drivers/glovebox.py")),
        (".guest/own.py", own.1),
        (".guest/own_file.py", own_file.1),
        (".guest/value.py", value.1),
        (".guest/report.py", report.1),
        (".guest/results.py", results.1),
        (".guest/evaluation.py", evaluation.1),
    ]
};

/// A program and its arguments.
#[derive(Clone, Copy)]
pub(crate) struct Program<'a> {
    pub(crate) source: &'a Source,
    pub(crate) arguments: &'a [String],
}

/// The first job of a container: a program, or a session if there is none.
#[derive(Clone, Copy)]
pub(crate) struct Job<'a> {
    pub(crate) program: Option<Program<'a>>,
    /// The files of the workspace.
    pub(crate) files: &'a [InputFile],
    /// The directories of its mounts.
    pub(crate) mounts: &'a [MountSource],
    /// The scripts that transform its language.
    pub(crate) scripts: &'a [Script],
}

/// The job that is sent to the init script, up to where the program's standard input begins; or a
/// command of a session.
pub(crate) struct JobMessage {
    pub(crate) bytes: Bytes,
    /// The delimiter of the reply.
    pub(crate) delimiter: String,
}

/// Returns a delimiter that no program can know.
pub(crate) fn delimiter() -> String {
    format!("glovebox-{:032x}", rand::random::<u128>())
}

/// Serializes a job.
pub(crate) fn message(
    grant: &Grant,
    job: Job<'_>,
    archive: WorkspaceArchive,
    local_ca: Option<&str>,
) -> Result<JobMessage, Error> {
    let driver = Driver::of(grant)?;
    let environment = nul_terminated(environment(grant, local_ca));
    let command = nul_terminated(command(grant, driver, job.program));
    let own = [
        (".environment", environment.as_slice()),
        (".command", command.as_slice()),
    ];
    let name = job
        .program
        .map(|program| program_name(&program.source.name, driver.extension));
    let program = name.as_deref().zip(job.program);
    let program = program.map(|(name, program)| (name, program.source.content.as_ref()));
    let certificate = local_ca.map(|pem| (LOCAL_CA, pem.as_bytes()));
    let identities = mount_identities(grant, job.mounts)?;
    let mounts = (!identities.is_empty()).then_some((".mounts", identities.as_slice()));
    let driver_files = driver
        .files
        .iter()
        .map(|(path, text)| (*path, text.as_bytes()));
    let control = tar_archive(
        own.into_iter()
            .chain(program)
            .chain(certificate)
            .chain(mounts)
            .chain(job.scripts.iter().map(named))
            .chain(driver_files),
    )?;
    let workspace = if job.files.is_empty() {
        Vec::new()
    } else {
        let files = job.files.iter();
        tar_archive(files.map(|file| (file.path.as_str(), file.content.as_ref())))?
    };
    let delimiter = delimiter();
    let mode = if job.program.is_some() {
        "run"
    } else {
        "session"
    };
    let limits = grant.limits();
    // If the container may make more sockets than the program, the program gets a seccomp filter of
    // its own.
    let may_differ = Sockets::of_container(grant) != Sockets::of_program(grant);
    let (prctl, filter) = if may_differ {
        seccomp::filter()
    } else {
        (0, "-".to_owned())
    };
    let header = format!(
        "{mode} {delimiter} {} {} {} {} {} {} {} {} {prctl} {filter}\n",
        control.len(),
        workspace.len(),
        lifetime(grant).as_secs(),
        cpu_seconds(grant),
        limits.open_files,
        u8::from(archive == WorkspaceArchive::Send),
        completion_limit(grant),
        if has_egress(grant) { EGRESS_PORT } else { 0 }
    );
    Ok(JobMessage {
        bytes: [header.as_bytes(), &control, &workspace].concat().into(),
        delimiter,
    })
}

fn named((path, content): &Script) -> (&str, &[u8]) {
    (path, content)
}

/// Serializes the command of a session that evaluates a program; `scripts` are those that it needs
/// besides what the session has.
pub(crate) fn evaluation(
    grant: &Grant,
    program: Program<'_>,
    input: &[u8],
    archive: WorkspaceArchive,
    scripts: &[Script],
) -> Result<JobMessage, Error> {
    let driver = Driver::of(grant)?;
    let name = program_name(&program.source.name, driver.extension);
    let shown = driver.reports.then(|| program.source.name.clone());
    let arguments = [name.clone()].into_iter().chain(shown);
    let arguments = arguments.chain(program.arguments.iter().cloned());
    let arguments = nul_terminated(arguments.collect());
    let own = [
        (".arguments", arguments.as_slice()),
        (".input", input),
        (name.as_str(), program.source.content.as_ref()),
    ];
    let control = tar_archive(own.into_iter().chain(scripts.iter().map(named)))?;
    let delimiter = delimiter();
    let header = format!(
        "evaluate {delimiter} {} {} {}\n",
        control.len(),
        u8::from(archive == WorkspaceArchive::Send),
        cpu_seconds(grant)
    );
    Ok(JobMessage {
        bytes: [header.as_bytes(), &control].concat().into(),
        delimiter,
    })
}

fn cpu_seconds(grant: &Grant) -> u64 {
    grant.limits().fuel.div_ceil(FUEL_PER_SECOND).max(1)
}

/// Returns the program's environment; variables of the request come last and take precedence.
fn environment(grant: &Grant, local_ca: Option<&str>) -> Vec<String> {
    let mut environment: Vec<_> = ENVIRONMENT.map(str::to_owned).into();
    if has_egress(grant) {
        environment.extend(egress_environment(local_ca));
    }
    let requested = grant.environment().iter();
    environment.extend(requested.map(|(name, value)| format!("{name}={value}")));
    environment
}

/// Returns the command that starts the program, or the driver of a session.
fn command(grant: &Grant, driver: &Driver, program: Option<Program<'_>>) -> Vec<String> {
    let words = match program {
        Some(_) => driver.command,
        None => driver.session.unwrap_or(driver.command),
    };
    let mut command: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
    if driver.reports {
        command.extend([
            COMPLETION.to_owned(),
            completion_limit(grant).to_string(),
            grant.limits().results.to_string(),
        ]);
    }
    if let Some(Program { source, arguments }) = program {
        let name = program_name(&source.name, driver.extension);
        command.push(format!("/program/{name}"));
        command.extend(driver.reports.then(|| source.name.clone()));
        command.extend(arguments.iter().cloned());
    }
    command
}

/// Returns the identity of this boot of the kernel, and then the identity and the mount point of
/// each directory that was checked; nothing if there is none.
fn mount_identities(grant: &Grant, sources: &[MountSource]) -> Result<Vec<u8>, Error> {
    let identities = identities(sources).map_err(|error| Error::executor(error.to_string()))?;
    let mut texts = Vec::new();
    for (mount, identity) in grant.mounts().iter().zip(identities) {
        if let Some((device, inode)) = identity {
            texts.extend([format!("{device}:{inode}"), mount.guest.clone()]);
        }
    }
    if !texts.is_empty() {
        #[expect(clippy::disallowed_methods, reason = "the kernel's own file")]
        let boot = std::fs::read_to_string(BOOT)
            .map_err(|error| Error::executor(format!("cannot read `{BOOT}`: {error}")))?;
        texts.insert(0, boot.trim().to_owned());
    }
    Ok(nul_terminated(texts))
}

fn nul_terminated(texts: Vec<String>) -> Vec<u8> {
    let bytes = texts
        .into_iter()
        .flat_map(|text| text.into_bytes().into_iter().chain([0]));
    bytes.collect()
}

/// Returns the file name of the program in error messages.
fn program_name(requested: &str, extension: &str) -> String {
    let last = requested.rsplit('/').next().unwrap_or_default();
    if last.is_empty() || last.starts_with('.') || last == "-" {
        format!("main.{extension}")
    } else {
        last.to_owned()
    }
}

fn tar_archive<'a>(files: impl IntoIterator<Item = (&'a str, &'a [u8])>) -> Result<Vec<u8>, Error> {
    let mut archive = tar::Builder::new(Vec::new());
    for (path, content) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        archive
            .append_data(&mut header, path, content)
            .map_err(|error| {
                Error::unsupported(format!("cannot send the file `{path}`: {error}"))
            })?;
    }
    archive
        .into_inner()
        .map_err(|error| Error::executor(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::{TOOLS_HOST, TOOLS_PATH};

    #[test]
    fn clients_of_tools_use_the_port_and_the_path_of_the_proxy() {
        for text in [
            include_str!("drivers/glovebox.py"),
            include_str!("drivers/driver.cjs"),
        ] {
            for part in [&EGRESS_PORT.to_string(), TOOLS_HOST, TOOLS_PATH] {
                assert!(text.contains(part), "{part}");
            }
        }
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
