//! Subprocess start: with which path, environment and current directory does a program of the host
//! run?
//!
//! With its absolute path, an environment that is listed here, and never in the caller's current
//! directory: files there belong to an untrusted project, and are no program or setting of the
//! host. Everything that Glovebox starts is started through [`Start`].
//!
//! The current directory of a program is `/` unless the caller names a private one. Tools look for
//! settings in their current directory and its ancestors (`rust-toolchain.toml`, `.python-version`,
//! `package.json`, `.cargo/config.toml`, `uv.toml`). A directory of ours may lie below a hostile
//! checkout (a cache inside a project) or below the world-writable `/tmp`; above `/` there is
//! nothing, and only root can write to it.

use crate::folder::{Folder, FolderError};
use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::{Mutex, PoisonError};

/// The default of `PATH`.
const USUAL_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// The default of `TMPDIR`.
const USUAL_TEMPORARY: &str = "/tmp";

/// Sets the file size limit (in blocks of 512 bytes) and a umask without write permission for
/// others, then `exec`s the program: its arguments are not parsed again.
const BOUNDED: &str = "umask 022 && ulimit -f \"$1\" && shift && exec \"$@\"";

/// The system's shell, on every system with the usual layout.
const SHELL: &str = "/bin/sh";

/// Bytes of a script's first line that the kernel reads.
const MAX_SHEBANG: u64 = 256;

/// Scripts that are each other's interpreters.
const MAX_SCRIPTS: u32 = 4;

/// Skipped entries that an error shows.
const MAX_SKIPPED: usize = 8;

/// The unit in bytes of a shell's `ulimit -f`.
const BLOCK: u64 = 512;

/// Proxy variables: passed on as they are.
const PROXIES: [&str; 8] = [
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "ALL_PROXY",
    "NO_PROXY",
    "http_proxy",
    "https_proxy",
    "all_proxy",
    "no_proxy",
];

/// Certificate authority variables: passed on if they are absolute paths.
const AUTHORITIES: [&str; 4] = [
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "REQUESTS_CA_BUNDLE",
    "CURL_CA_BUNDLE",
];

/// The reason why a program of the host was not started.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ProgramError {
    /// There is no program of that name.
    #[error(
        "there is no program `{name}` in the folders of PATH that count: absolute ones that, with all above them, belong to root or to this \
         user and that others cannot write ({looked}){skipped}"
    )]
    Missing {
        /// Its name.
        name: String,
        /// The folders that were searched.
        looked: String,
        /// The folders that were skipped, with the reasons.
        skipped: String,
    },
    /// Another user can have changed it.
    #[error(transparent)]
    Untrusted(#[from] FolderError),
    /// A path that would be resolved in the current directory.
    #[error("`{0}` is no absolute path, and programs are started by absolute paths only")]
    Relative(PathBuf),
}

/// A program of the host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Program {
    path: PathBuf,
    /// The interpreter that runs it, if it is a script that has `env` look for one.
    interpreter: Option<PathBuf>,
}

impl Program {
    /// Returns the program at an absolute path. Whether it exists shows when it is started.
    ///
    /// # Errors
    ///
    /// If the path is relative.
    pub fn absolute(path: impl Into<PathBuf>) -> Result<Self, ProgramError> {
        let path = path.into();
        if path.is_absolute() {
            Ok(Self {
                path,
                interpreter: None,
            })
        } else {
            Err(ProgramError::Relative(path))
        }
    }

    /// Returns the program at an absolute path, if only this user and root can have changed it.
    ///
    /// # Errors
    ///
    /// If the path is relative, if there is no program, or if another user can have changed it or a
    /// directory above.
    pub fn trusted(path: impl Into<PathBuf>) -> Result<Self, ProgramError> {
        let Self { path, .. } = Self::absolute(path)?;
        let (folder, name) = folder_and_name(&path)?;
        if name.is_empty() || !folder.has_program(name)? {
            let looked = path.parent().unwrap_or(&path).display().to_string();
            return Err(ProgramError::Missing {
                name: name.to_owned(),
                looked,
                skipped: String::new(),
            });
        }
        let interpreter = interpreter(&folder, name, &path_variable(), 0)?;
        Ok(Self { path, interpreter })
    }

    /// Finds a program in the first folder of [`search_path`] that has it. One that users other
    /// than this one and root can have changed is skipped, wherever symlinks lead to it.
    ///
    /// # Errors
    ///
    /// If there is none.
    pub fn find(name: &str) -> Result<Self, ProgramError> {
        Self::find_in(&path_variable(), name)
    }

    fn find_in(list: &OsStr, name: &str) -> Result<Self, ProgramError> {
        Self::find_at(list, name, 0)
    }

    /// `depth` is the number of scripts whose interpreter this is.
    fn find_at(list: &OsStr, name: &str, depth: u32) -> Result<Self, ProgramError> {
        let Searched {
            folders,
            mut skipped,
        } = Searched::new(list);
        if Path::new(name).file_name() == Some(OsStr::new(name)) {
            for (path, folder) in &folders {
                match folder.has_program(name) {
                    // No other user can replace it, so it is started by the name by which it was
                    // found: multi-call binaries depend on their name.
                    Ok(true) => match interpreter(folder, name, list, depth) {
                        Ok(interpreter) => {
                            return Ok(Self {
                                path: path.join(name),
                                interpreter,
                            });
                        }
                        Err(why) => {
                            skipped.push(format!("`{}` ({why})", path.join(name).display()))
                        }
                    },
                    Ok(false) => {}
                    Err(why) => skipped.push(format!("`{}` ({why})", path.join(name).display())),
                }
            }
        }
        let looked: Vec<String> = folders
            .iter()
            .map(|(path, _)| path.display().to_string())
            .collect();
        let shown = skipped.get(..MAX_SKIPPED).unwrap_or(&skipped).join(", ");
        let skipped = if shown.is_empty() {
            shown
        } else {
            format!("; these do not count: {shown}")
        };
        Err(ProgramError::Missing {
            name: name.to_owned(),
            looked: looked.join(":"),
            skipped,
        })
    }

    /// Returns this process's own executable, even if its file was replaced meanwhile.
    #[must_use]
    pub fn own() -> Self {
        Self {
            path: PathBuf::from("/proc/self/exe"),
            interpreter: None,
        }
    }

    /// Returns its path.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Prepares a start of it.
    pub fn start(&self) -> Start {
        let (program, arguments) = match &self.interpreter {
            Some(interpreter) => (
                interpreter.clone(),
                vec![self.path.clone().into_os_string()],
            ),
            None => (self.path.clone(), Vec::new()),
        };
        let mut start = Start {
            program,
            arguments,
            environment: BTreeMap::new(),
            directory: PathBuf::from("/"),
            largest_file: None,
        };
        start
            .env("PATH", child_path())
            .env("LC_ALL", "C.UTF-8")
            .env("TMPDIR", temporary());
        start
    }
}

/// A start of a program: its arguments, and everything that it inherits of this process.
///
/// Its environment is `PATH` (the folders of [`search_path`] in which every program is trusted),
/// `LC_ALL=C.UTF-8`, `TMPDIR` (from [`temporary`]), and what is named with [`Start::env`],
/// [`Start::pass_path`], [`Start::pass_paths`] and [`Start::network`]. Nothing else is inherited.
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
        self.arguments.extend(
            arguments
                .into_iter()
                .map(|argument| argument.as_ref().to_owned()),
        );
        self
    }

    /// Sets an environment variable.
    pub fn env(&mut self, name: impl AsRef<OsStr>, value: impl AsRef<OsStr>) -> &mut Self {
        self.environment
            .insert(name.as_ref().to_owned(), value.as_ref().to_owned());
        self
    }

    /// Removes the default environment: this program needs nothing of it.
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

    /// Passes a variable on if it is the absolute path of a folder that only this user and root can
    /// change: settings in it may name programs to run, and after `sudo` it may be another user's.
    pub fn pass_folder(&mut self, name: &str) -> &mut Self {
        if variable(name).is_some_and(|path| {
            Path::new(&path).is_absolute() && Folder::of_programs(Path::new(&path)).is_ok()
        }) {
            self.pass_path(name);
        }
        self
    }

    /// Passes on the trusted entries of a list of folders, as for `PATH`.
    pub fn pass_paths(&mut self, name: &str) -> &mut Self {
        let folders = variable(name)
            .map(|list| Searched::new(&list).paths())
            .unwrap_or_default();
        if !folders.is_empty() {
            self.env(name, join(&folders));
        }
        self
    }

    /// Passes on the network settings: proxies, and absolute paths of certificate authorities.
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

    /// Starts it in this folder, which must be a private one, instead of `/`.
    pub fn directory(&mut self, folder: &Path) -> &mut Self {
        folder.clone_into(&mut self.directory);
        self
    }

    /// Limits the size of each file that it and its children write (`RLIMIT_FSIZE`); such files are
    /// world-readable and writable by this user (`umask 022`), whatever this process's own umask
    /// is.
    pub fn largest_file(&mut self, bytes: u64) -> &mut Self {
        self.largest_file = Some(bytes);
        self
    }

    /// Returns the path of the program.
    #[must_use]
    pub fn program(&self) -> &Path {
        &self.program
    }

    /// Builds the command, without any input; outputs are inherited unless the caller redirects
    /// them.
    #[must_use]
    pub fn command(&self) -> std::process::Command {
        let bounded = self
            .largest_file
            .map(|bytes| bytes.div_ceil(BLOCK).to_string());
        let program = if bounded.is_some() {
            Path::new(SHELL)
        } else {
            &self.program
        };
        #[expect(
            clippy::disallowed_methods,
            reason = "the one place where a program of the host is started"
        )]
        let mut command = std::process::Command::new(program);
        if let Some(blocks) = bounded {
            command
                .args(["-c", BOUNDED, "sh", &blocks])
                .arg(&self.program);
        }
        command
            .args(&self.arguments)
            .env_clear()
            .envs(&self.environment)
            .current_dir(&self.directory)
            .stdin(Stdio::null());
        command
    }

    /// As [`Start::command`], for asynchronous callers; the program is killed when its handle is
    /// dropped.
    #[must_use]
    pub fn tokio(&self) -> tokio::process::Command {
        let mut command = tokio::process::Command::from(self.command());
        command.kill_on_drop(true);
        command
    }
}

/// Returns the folders in which programs are looked up, and the `PATH` of every program that is
/// started: the absolute entries of `PATH` that, with every directory above them, belong to root or
/// to this user and that others cannot write. Empty and relative entries mean the current
/// directory, and are skipped.
#[must_use]
pub fn search_path() -> Vec<PathBuf> {
    Searched::new(&path_variable()).paths()
}

/// The `PATH` of every program that is started. It looks programs up without our checks, so a
/// folder counts only if everything in it does: in a folder that no other user can write to, only
/// root and this user can have put another user's file, and that rarely happens twice, so each list
/// is checked once.
fn child_path() -> OsString {
    static CHECKED: Mutex<Option<(OsString, OsString)>> = Mutex::new(None);
    let list = path_variable();
    let mut checked = CHECKED.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((_, result)) = checked.as_ref().filter(|(known, _)| *known == list) {
        return result.clone();
    }
    let result = child_path_of(&list);
    *checked = Some((list, result.clone()));
    result
}

fn child_path_of(list: &OsStr) -> OsString {
    let folders = Searched::new(list).folders.into_iter();
    let trusted: Vec<PathBuf> = folders
        .filter(|(_, folder)| folder.check_programs().is_ok())
        .map(|(path, _)| path)
        .collect();
    join(&trusted)
}

/// Returns the interpreter of a script that has `env` look for it, and checks every other one: a
/// script is as trusted as what runs it.
fn interpreter(
    folder: &Folder,
    name: &str,
    list: &OsStr,
    depth: u32,
) -> Result<Option<PathBuf>, ProgramError> {
    // A program that may be run but not read is no script: the kernel has to read those.
    let Ok(start) = folder.start_of(name, MAX_SHEBANG) else {
        return Ok(None);
    };
    let Some(line) = start
        .strip_prefix(b"#!")
        .and_then(|rest| rest.split(|byte| *byte == b'\n').next())
    else {
        return Ok(None);
    };
    let line = String::from_utf8_lossy(line);
    let words: Vec<&str> = line.split_ascii_whitespace().collect();
    match words.as_slice() {
        ["/usr/bin/env" | "/bin/env", wanted]
            if depth < MAX_SCRIPTS && !wanted.starts_with('-') && !wanted.contains(['=', '/']) =>
        {
            Ok(Some(Program::find_at(list, wanted, depth + 1)?.path))
        }
        // With options and variables it is `env` that looks, in a `PATH` in which everything is
        // trusted.
        [path, ..] => {
            let Program { path, .. } = Program::absolute(path)?;
            let (folder, name) = folder_and_name(&path)?;
            folder.has_program(name)?;
            Ok(None)
        }
        [] => Ok(None),
    }
}

/// Returns the folder for temporary files, and the `TMPDIR` of every program that is started:
/// `TMPDIR` if it is absolute, belongs to root or to this user with every directory above it, and
/// others cannot write to it or it has the sticky bit; `/tmp` otherwise.
#[must_use]
pub fn temporary() -> PathBuf {
    let named = variable("TMPDIR")
        .map(PathBuf::from)
        .filter(|path| path.is_absolute());
    named
        .filter(|path| Folder::check_temporary(path).is_ok())
        .unwrap_or_else(|| PathBuf::from(USUAL_TEMPORARY))
}

/// Opens the folder of a program, and returns its name in there.
fn folder_and_name(path: &Path) -> Result<(Folder, &str), FolderError> {
    let name = path.file_name().and_then(OsStr::to_str).unwrap_or_default();
    Ok((Folder::of_programs(path.parent().unwrap_or(path))?, name))
}

fn path_variable() -> OsString {
    variable("PATH").unwrap_or_else(|| USUAL_PATH.into())
}

fn variable(name: &str) -> Option<OsString> {
    #[expect(
        clippy::disallowed_methods,
        reason = "what is passed on to a program of the host is listed in this file"
    )]
    let value = std::env::var_os(name);
    value.filter(|value| !value.is_empty())
}

/// The trusted folders of a list, and the reasons why others are skipped.
#[derive(Default)]
struct Searched {
    folders: Vec<(PathBuf, Folder)>,
    skipped: Vec<String>,
}

impl Searched {
    fn new(list: &OsStr) -> Self {
        let mut this = Self::default();
        for path in std::env::split_paths(list) {
            if !path.is_absolute() {
                this.skipped.push(format!(
                    "`{}` (it is relative to the current directory)",
                    path.display()
                ));
            } else if !this.folders.iter().any(|(known, _)| *known == path) {
                match Folder::of_programs(&path) {
                    Ok(folder) => this.folders.push((path, folder)),
                    // Lists have many folders that do not exist.
                    Err(why) if why.is_missing() => {}
                    Err(why) => this.skipped.push(format!("`{}` ({why})", path.display())),
                }
            }
        }
        this
    }

    fn paths(self) -> Vec<PathBuf> {
        self.folders.into_iter().map(|(path, _)| path).collect()
    }
}

fn join(folders: &[PathBuf]) -> OsString {
    // Each came out of such a list, so none contains a colon.
    std::env::join_paths(folders).unwrap_or_default()
}

#[cfg(test)]
#[expect(
    clippy::disallowed_methods,
    reason = "the tests make programs of their own"
)]
mod tests {
    use super::*;
    use std::os::unix::fs::{PermissionsExt as _, chown, symlink};

    const NOBODY: u32 = 65534;

    fn mode(path: &Path, bits: u32) {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(bits)).unwrap();
    }

    /// Returns `above/bin/tool`, a program of ours.
    fn installed() -> (tempfile::TempDir, PathBuf) {
        let place = tempfile::tempdir().unwrap();
        let bin = place.path().join("above/bin");
        std::fs::create_dir_all(&bin).unwrap();
        std::fs::write(bin.join("tool"), "#!/bin/sh\n").unwrap();
        for path in [bin.parent().unwrap(), &bin, &bin.join("tool")] {
            mode(path, 0o755);
        }
        (place, bin)
    }

    /// A change to an installed program, the expected message, and whether only root can make the
    /// change.
    type Change = (fn(&Path), &'static str, bool);

    const DISTRUSTED: [Change; 9] = [
        (
            |bin| mode(bin, 0o777),
            "above/bin` can be written by others",
            false,
        ),
        (
            |bin| mode(bin, 0o1777),
            "everybody may put files into",
            false,
        ),
        (
            |bin| mode(bin.parent().unwrap(), 0o777),
            "above` can be written by others",
            false,
        ),
        (
            |bin| mode(&bin.join("tool"), 0o757),
            "tool` can be written by others",
            false,
        ),
        (
            |bin| chown(bin, Some(NOBODY), None).unwrap(),
            "above/bin` belongs to user 65534",
            true,
        ),
        (
            |bin| chown(bin.parent().unwrap(), Some(NOBODY), None).unwrap(),
            "above` belongs to user 65534",
            true,
        ),
        (
            |bin| chown(bin.join("tool"), Some(NOBODY), None).unwrap(),
            "tool` belongs to user 65534",
            true,
        ),
        (
            |bin| {
                // The sticky bit protects our own entries, and this is not one.
                mode(bin.parent().unwrap(), 0o1777);
                chown(bin, Some(NOBODY), None).unwrap();
            },
            "above/bin` belongs to user 65534",
            true,
        ),
        (
            |bin| {
                // A symlink of ours to a file that is not.
                let other = bin.with_file_name("other");
                std::fs::create_dir(&other).unwrap();
                std::fs::rename(bin.join("tool"), other.join("real")).unwrap();
                symlink("../other/real", bin.join("tool")).unwrap();
                mode(&other, 0o777);
            },
            "above/other` can be written by others",
            false,
        ),
    ];

    #[test]
    fn programs_that_others_can_change_are_not_found_and_the_error_says_why() {
        let is_root = rustix::process::geteuid().is_root();
        for (number, (change, says, needs_root)) in DISTRUSTED.into_iter().enumerate() {
            let (_place, bin) = installed();
            let found = Program::find_in(bin.as_os_str(), "tool").unwrap();
            assert_eq!(found.path(), bin.join("tool"));
            assert_eq!(Program::trusted(bin.join("tool")).unwrap(), found);
            if needs_root && !is_root {
                continue;
            }
            change(&bin);
            let error = Program::find_in(&join(&["/usr/bin".into(), bin.clone()]), "tool")
                .unwrap_err()
                .to_string();
            assert!(
                error.contains("there is no program `tool`") && error.contains(says),
                "{number}: {error}"
            );
            assert!(
                Program::trusted(bin.join("tool"))
                    .unwrap_err()
                    .to_string()
                    .contains(says),
                "{number}"
            );
        }
        let error = Program::find_in(OsStr::new(".:bin:/nowhere/at/all"), "tool")
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("`bin` (it is relative") && !error.contains("nowhere"),
            "{error}"
        );
    }

    #[test]
    fn programs_are_found_where_users_and_distributions_have_them() {
        let (_place, bin) = installed();
        // As in a virtual environment, with rustup's many names for one program, and where `/bin`
        // is a symlink to `/usr/bin`.
        for (link, target) in [
            ("python3", "/usr/bin/env"),
            ("cargo", "tool"),
            ("../merged", "bin"),
        ] {
            symlink(target, bin.join(link)).unwrap();
        }
        for (folder, name) in [
            ("bin", "tool"),
            ("bin", "python3"),
            ("bin", "cargo"),
            ("merged", "cargo"),
        ] {
            let folder = bin.with_file_name(folder);
            assert_eq!(
                Program::find_in(folder.as_os_str(), name).unwrap().path(),
                folder.join(name)
            );
        }
        // Another program further on is found if the first is skipped.
        mode(&bin.join("tool"), 0o757);
        let (_other, other) = installed();
        assert_eq!(
            Program::find_in(&join(&[bin, other.clone()]), "tool")
                .unwrap()
                .path(),
            other.join("tool")
        );
    }

    #[test]
    fn a_script_is_as_trusted_as_what_runs_it() {
        let (_place, bin) = installed();
        let start = |name: &str| Program::find_in(bin.as_os_str(), name).map(|found| found.start());
        let script = |name: &str, first: &str| {
            std::fs::write(bin.join(name), format!("#!{first}\necho \"$0\" \"$1\"\n")).unwrap();
            mode(&bin.join(name), 0o755);
        };
        symlink("/bin/sh", bin.join("inner")).unwrap();
        script("by-env", "/usr/bin/env inner");
        script("by-path", "/bin/sh");
        for name in ["by-env", "by-path"] {
            let output = start(name).unwrap().arg("a b").command().output().unwrap();
            assert_eq!(
                String::from_utf8(output.stdout).unwrap(),
                format!("{} a b\n", bin.join(name).display())
            );
        }
        script("by-nothing", "/usr/bin/env no-such-interpreter");
        assert!(
            start("by-nothing")
                .unwrap_err()
                .to_string()
                .contains("there is no program `no-such-interpreter`")
        );
        if !rustix::process::geteuid().is_root() {
            return;
        }
        assert_eq!(child_path_of(bin.as_os_str()), bin.as_os_str());
        // The folder is ours, and one file in it is not.
        std::fs::copy("/bin/sh", bin.join("theirs")).unwrap();
        chown(bin.join("theirs"), Some(NOBODY), None).unwrap();
        script("env-theirs", "/usr/bin/env theirs");
        script("path-theirs", &bin.join("theirs").display().to_string());
        for name in ["env-theirs", "path-theirs"] {
            let error = start(name).unwrap_err().to_string();
            assert!(
                error.contains("theirs` belongs to user 65534"),
                "{name}: {error}"
            );
        }
        assert!(start("by-env").is_ok());
        assert_eq!(
            child_path_of(&join(&[bin.clone(), "/usr/bin".into()])),
            "/usr/bin"
        );
    }

    #[test]
    fn only_absolute_folders_that_others_cannot_write_count() {
        let place = tempfile::tempdir().unwrap();
        let open = place.path().join("open");
        std::fs::create_dir(&open).unwrap();
        std::fs::set_permissions(&open, std::fs::Permissions::from_mode(0o777)).unwrap();
        let list = format!(
            ".::bin:./x:../y:{}:/nowhere/at/all:/usr/bin:{}:/usr/bin",
            open.display(),
            place.path().display()
        );
        assert_eq!(
            Searched::new(OsStr::new(&list)).paths(),
            [Path::new("/usr/bin"), place.path()]
        );
    }

    #[test]
    fn a_program_is_found_by_a_plain_name_and_started_by_an_absolute_path() {
        assert!(Program::find("sh").unwrap().path().is_absolute());
        for name in [
            "no-such-tool-here",
            "",
            ".",
            "..",
            "./sh",
            "bin/sh",
            "/bin/sh",
            "../bin/sh",
        ] {
            let error = Program::find(name).unwrap_err().to_string();
            assert!(error.contains("there is no program"), "{name}: {error}");
        }
        for path in ["sh", "./sh", ""] {
            assert!(
                matches!(Program::absolute(path), Err(ProgramError::Relative(_))),
                "{path}"
            );
        }
    }

    #[test]
    fn a_program_gets_the_environment_that_is_listed_and_no_current_directory() {
        let mut start = Program::find("env").unwrap().start();
        start
            .env("OWN", "1")
            .pass_path("NO_SUCH_VARIABLE")
            .pass_paths("NO_SUCH_VARIABLE");
        let out = String::from_utf8(start.command().output().unwrap().stdout).unwrap();
        let names: Vec<&str> = out
            .lines()
            .filter_map(|line| Some(line.split_once('=')?.0))
            .collect();
        assert!(
            names
                .iter()
                .all(|name| ["PATH", "LC_ALL", "TMPDIR", "OWN"].contains(name)),
            "{names:?}"
        );
        let here = Program::find("pwd")
            .unwrap()
            .start()
            .command()
            .output()
            .unwrap()
            .stdout;
        assert_eq!(here, b"/\n");
    }

    #[test]
    fn written_files_are_bounded_and_arguments_stay_as_they_are() {
        let place = tempfile::tempdir().unwrap();
        let mut start = Program::find("sh").unwrap().start();
        start.args([
            "-c",
            "printf '%s|' \"$@\"; head -c 4096 /dev/zero > large",
            "sh",
            "a b",
            "",
            "$(id)",
        ]);
        start.directory(place.path()).largest_file(1024);
        let output = start.command().output().unwrap();
        assert_eq!(output.stdout, b"a b||$(id)|");
        assert!(!output.status.success());
        assert!(std::fs::metadata(place.path().join("large")).unwrap().len() <= 1024);
    }
}
