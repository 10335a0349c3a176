//! How is a program of the host started?
//!
//! By its absolute path, with an environment that is listed here, and never in the directory of whoever called: what lies there belongs to
//! somebody else's project, and is no program or setting of the host. Everything that Glovebox starts is started through [`Start`].
//!
//! The current directory of a program is `/` unless the caller names an own one. Tools that look for settings look in their current
//! directory and upwards (`rust-toolchain.toml`, `.python-version`, `package.json`, `.cargo/config.toml`, `uv.toml`). A directory of our own
//! may lie below a hostile checkout (a cache inside a project) or below `/tmp`, where everybody may put files; above `/` there is nothing,
//! and only root can put something into it.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;

/// Where programs are looked up if the environment does not say.
const USUAL_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// Sets the bound on the size of written files (in blocks of 512 bytes) and sees to it that nobody else can write them, then becomes the
/// program: its arguments are not parsed again.
const BOUNDED: &str = "umask 022 && ulimit -f \"$1\" && shift && exec \"$@\"";

/// Where the system's shell is, on every system with the usual layout.
const SHELL: &str = "/bin/sh";

/// Bytes of the unit in which a shell takes the bound on written files.
const BLOCK: u64 = 512;

/// Which proxies to use: passed on as they are.
const PROXIES: [&str; 8] = ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "all_proxy", "no_proxy"];

/// Which certificate authorities to trust: passed on where they are absolute paths.
const AUTHORITIES: [&str; 4] = ["SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"];

/// Why a program of the host was not started.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ProgramError {
    /// There is none of that name.
    #[error("there is no program `{name}` in the folders of PATH that count: absolute ones that not everybody can write ({looked})")]
    Missing {
        /// Its name.
        name: String,
        /// Where it was looked for.
        looked: String,
    },
    /// A name that would be looked up in the current directory.
    #[error("`{0}` is no absolute path, and programs are started by absolute paths only")]
    Relative(PathBuf),
}

/// A program of the host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Program(PathBuf);

impl Program {
    /// The program at an absolute path. Whether it is there shows when it is started.
    ///
    /// # Errors
    ///
    /// Where the path is relative.
    pub fn absolute(path: impl Into<PathBuf>) -> Result<Self, ProgramError> {
        let path = path.into();
        if path.is_absolute() { Ok(Self(path)) } else { Err(ProgramError::Relative(path)) }
    }

    /// The program of that name in the first folder of [`search_path`] that has it.
    ///
    /// # Errors
    ///
    /// Where there is none.
    pub fn find(name: &str) -> Result<Self, ProgramError> {
        let folders = search_path();
        let is_name = Path::new(name).file_name() == Some(OsStr::new(name));
        let found = is_name.then(|| folders.iter().map(|folder| folder.join(name)).find(|file| is_program(file))).flatten();
        found.map(Self).ok_or_else(|| {
            let looked: Vec<String> = folders.iter().map(|folder| folder.display().to_string()).collect();
            ProgramError::Missing { name: name.to_owned(), looked: looked.join(":") }
        })
    }

    /// This process's own program, even where its file was replaced meanwhile.
    #[must_use]
    pub fn own() -> Self {
        Self(PathBuf::from("/proc/self/exe"))
    }

    /// Where it lies.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Prepares a start of it.
    pub fn start(&self) -> Start {
        let mut start = Start {
            program: self.0.clone(),
            arguments: Vec::new(),
            environment: BTreeMap::new(),
            directory: PathBuf::from("/"),
            largest_file: None,
        };
        start.env("PATH", join(&search_path())).env("LC_ALL", "C.UTF-8").pass_path("TMPDIR");
        start
    }
}

/// A start of a program: its arguments, and everything that it is given of this process.
///
/// Its environment is `PATH` (as [`search_path`] has it), `LC_ALL=C.UTF-8`, `TMPDIR` where that is absolute, and what is named with
/// [`Start::env`], [`Start::pass_path`], [`Start::pass_paths`] and [`Start::network`]. Nothing else is inherited.
#[derive(Clone, Debug)]
#[must_use]
pub struct Start {
    program: PathBuf,
    arguments: Vec<OsString>,
    environment: BTreeMap<OsString, OsString>,
    directory: PathBuf,
    largest_file: Option<u64>,
}

impl Start {
    /// Adds an argument.
    pub fn arg(&mut self, argument: impl AsRef<OsStr>) -> &mut Self {
        self.arguments.push(argument.as_ref().to_owned());
        self
    }

    /// Adds arguments.
    pub fn args<A: AsRef<OsStr>>(&mut self, arguments: impl IntoIterator<Item = A>) -> &mut Self {
        self.arguments.extend(arguments.into_iter().map(|argument| argument.as_ref().to_owned()));
        self
    }

    /// Sets an environment variable.
    pub fn env(&mut self, name: impl AsRef<OsStr>, value: impl AsRef<OsStr>) -> &mut Self {
        self.environment.insert(name.as_ref().to_owned(), value.as_ref().to_owned());
        self
    }

    /// Takes away what every program is given of the environment: this one needs nothing of it.
    pub fn bare(&mut self) -> &mut Self {
        self.environment.clear();
        self
    }

    /// Passes a variable on if it is an absolute path.
    pub fn pass_path(&mut self, name: &str) -> &mut Self {
        if let Some(path) = variable(name).filter(|path| Path::new(path).is_absolute()) {
            self.env(name, path);
        }
        self
    }

    /// Passes on those entries of a list of folders that are absolute and that not everybody can write.
    pub fn pass_paths(&mut self, name: &str) -> &mut Self {
        let folders = variable(name).map(|list| only_safe(&list)).unwrap_or_default();
        if !folders.is_empty() {
            self.env(name, join(&folders));
        }
        self
    }

    /// Passes on how the network is reached: proxies, and absolute paths of certificate authorities.
    pub fn network(&mut self) -> &mut Self {
        for name in PROXIES {
            if let Some(value) = variable(name) {
                self.env(name, value);
            }
        }
        AUTHORITIES.iter().for_each(|name| {
            self.pass_path(name);
        });
        self
    }

    /// Starts it in this folder, which must be our own, instead of `/`.
    pub fn directory(&mut self, folder: &Path) -> &mut Self {
        folder.clone_into(&mut self.directory);
        self
    }

    /// Bounds the size of each file that it and its children write (`RLIMIT_FSIZE`); such files are for everybody to read and for this user
    /// to write (`umask 022`), whatever this process's own mask is.
    pub fn largest_file(&mut self, bytes: u64) -> &mut Self {
        self.largest_file = Some(bytes);
        self
    }

    /// Which program it is.
    #[must_use]
    pub fn program(&self) -> &Path {
        &self.program
    }

    /// The command that does it, without any input; outputs are inherited until somebody says otherwise.
    #[must_use]
    pub fn command(&self) -> std::process::Command {
        let bounded = self.largest_file.map(|bytes| bytes.div_ceil(BLOCK).to_string());
        let program = if bounded.is_some() { Path::new(SHELL) } else { &self.program };
        #[expect(clippy::disallowed_methods, reason = "the one place where a program of the host is started")]
        let mut command = std::process::Command::new(program);
        if let Some(blocks) = bounded {
            command.args(["-c", BOUNDED, "sh", &blocks]).arg(&self.program);
        }
        command.args(&self.arguments).env_clear().envs(&self.environment).current_dir(&self.directory).stdin(Stdio::null());
        command
    }

    /// As [`Start::command`], for asynchronous callers; the program is killed when its handle is dropped.
    #[must_use]
    pub fn tokio(&self) -> tokio::process::Command {
        let mut command = tokio::process::Command::from(self.command());
        command.kill_on_drop(true);
        command
    }
}

/// The folders in which programs are looked up, and the `PATH` of every program that is started: the absolute entries of `PATH` that not
/// everybody can write. Empty and relative entries mean the current directory, and count for nothing.
#[must_use]
pub fn search_path() -> Vec<PathBuf> {
    only_safe(&variable("PATH").unwrap_or_else(|| USUAL_PATH.into()))
}

fn variable(name: &str) -> Option<OsString> {
    #[expect(clippy::disallowed_methods, reason = "what is passed on to a program of the host is listed in this file")]
    let value = std::env::var_os(name);
    value.filter(|value| !value.is_empty())
}

fn only_safe(list: &OsStr) -> Vec<PathBuf> {
    let is_closed =
        |folder: &PathBuf| std::fs::metadata(folder).is_ok_and(|found| found.is_dir() && found.permissions().mode() & 0o002 == 0);
    let mut folders: Vec<PathBuf> = Vec::new();
    for folder in std::env::split_paths(list).filter(|folder| folder.is_absolute()).filter(is_closed) {
        if !folders.contains(&folder) {
            folders.push(folder);
        }
    }
    folders
}

fn join(folders: &[PathBuf]) -> OsString {
    // Each came out of such a list, so none has a colon in it.
    std::env::join_paths(folders).unwrap_or_default()
}

fn is_program(file: &Path) -> bool {
    std::fs::metadata(file).is_ok_and(|found| {
        let mode = found.permissions().mode();
        found.is_file() && mode & 0o111 != 0 && mode & 0o002 == 0
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_absolute_folders_that_not_everybody_writes_count() {
        let place = tempfile::tempdir().unwrap();
        let open = place.path().join("open");
        std::fs::create_dir(&open).unwrap();
        std::fs::set_permissions(&open, std::fs::Permissions::from_mode(0o777)).unwrap();
        let list = format!(".::bin:./x:../y:{}:/nowhere/at/all:/usr/bin:{}:/usr/bin", open.display(), place.path().display());
        assert_eq!(only_safe(OsStr::new(&list)), [Path::new("/usr/bin"), place.path()]);
    }

    #[test]
    fn a_program_is_found_by_a_plain_name_and_started_by_an_absolute_path() {
        assert!(Program::find("sh").unwrap().path().is_absolute());
        for name in ["no-such-tool-here", "", ".", "..", "./sh", "bin/sh", "/bin/sh", "../bin/sh"] {
            let error = Program::find(name).unwrap_err().to_string();
            assert!(error.contains("there is no program"), "{name}: {error}");
        }
        for path in ["sh", "./sh", ""] {
            assert!(matches!(Program::absolute(path), Err(ProgramError::Relative(_))), "{path}");
        }
    }

    #[test]
    fn a_program_gets_the_environment_that_is_listed_and_no_current_directory() {
        let mut start = Program::find("env").unwrap().start();
        start.env("OWN", "1").pass_path("NO_SUCH_VARIABLE").pass_paths("NO_SUCH_VARIABLE");
        let out = String::from_utf8(start.command().output().unwrap().stdout).unwrap();
        let names: Vec<&str> = out.lines().filter_map(|line| Some(line.split_once('=')?.0)).collect();
        assert!(names.iter().all(|name| ["PATH", "LC_ALL", "TMPDIR", "OWN"].contains(name)), "{names:?}");
        let here = Program::find("pwd").unwrap().start().command().output().unwrap().stdout;
        assert_eq!(here, b"/\n");
    }

    #[test]
    fn written_files_are_bounded_and_arguments_stay_as_they_are() {
        let place = tempfile::tempdir().unwrap();
        let mut start = Program::find("sh").unwrap().start();
        start.args(["-c", "printf '%s|' \"$@\"; head -c 4096 /dev/zero > large", "sh", "a b", "", "$(id)"]);
        start.directory(place.path()).largest_file(1024);
        let output = start.command().output().unwrap();
        assert_eq!(output.stdout, b"a b||$(id)|");
        assert!(!output.status.success());
        assert!(std::fs::metadata(place.path().join("large")).unwrap().len() <= 1024);
    }
}
