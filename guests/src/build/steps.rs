//! Build steps: which were done before, with the same inputs?
//!
//! Each step fills a directory of its own, named by the digest of everything that went in, and
//! appears there whole or not at all.

use super::progress::Progress;
use super::sources::sources;
use crate::installation::write_sparse;
use anyhow::{Context as _, Result, bail};
use data_encoding::HEXLOWER;
use glovebox_host::folder::Folder;
use sha2::{Digest as _, Sha256};
use std::collections::BTreeSet;
use std::fs::{self, File, Permissions};
use std::io::Read as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Time for which unused results are kept: a developer may go back to an earlier commit.
const UNUSED_RESULT_TTL: Duration = Duration::from_secs(14 * 24 * 60 * 60);

/// The scratch directory of the C compiler.
pub(super) const COMPILER_CACHE: &str = "zig";

/// Whether a step needs a package registry.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Network {
    Needed,
    Unneeded,
}

/// Whether the build may contact package registries.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Registries {
    Online,
    Offline,
}

/// One step of a build.
pub(super) struct Step<'a> {
    /// One word, with which its directory is named.
    pub(super) name: &'a str,
    /// A phrase for people.
    pub(super) detail: &'a str,
    pub(super) inputs: Inputs,
    pub(super) network: Network,
}

/// The inputs of a step, as a digest.
pub(super) struct Inputs(Sha256);

impl Inputs {
    /// Starts with the recipe of the step: the text of the code that does it, or its version. A
    /// changed recipe is a changed input.
    pub(super) fn new(recipe: &str) -> Self {
        let mut inputs = Self(Sha256::new());
        inputs.add(recipe.as_bytes());
        inputs
    }

    fn add(&mut self, bytes: &[u8]) {
        self.0.update((bytes.len() as u64).to_le_bytes());
        self.0.update(bytes);
    }

    /// Adds a text.
    pub(super) fn text(mut self, text: &str) -> Self {
        self.add(text.as_bytes());
        self
    }

    /// Adds the result of an earlier step, whose directory is named by its inputs.
    pub(super) fn step(self, result: &Path) -> Self {
        let name = result.file_name().unwrap_or_default().to_string_lossy();
        self.text(&name)
    }

    /// Adds our own sources below a folder.
    pub(super) fn sources(mut self, folder: &str) -> Self {
        for (name, content) in sources(folder) {
            self.add(name.as_bytes());
            self.add(content);
        }
        self
    }
}

/// The steps of one build.
pub(super) struct Steps<'a> {
    root: PathBuf,
    registries: Registries,
    progress: &'a dyn Progress,
    used: Mutex<BTreeSet<PathBuf>>,
}

impl<'a> Steps<'a> {
    /// Steps whose results lie below `root`.
    pub(super) fn new(root: PathBuf, registries: Registries, progress: &'a dyn Progress) -> Self {
        Self {
            root,
            registries,
            progress,
            used: Mutex::default(),
        }
    }

    /// Returns a directory that steps share for what a tool wants to keep.
    pub(super) fn scratch(&self, name: &str) -> Result<PathBuf> {
        let scratch = self.root.join(name);
        self.exists(name, &scratch)?;
        Ok(scratch)
    }

    /// Returns whether a directory of an earlier build exists. What another user can have changed is
    /// removed, for its programs are run and its files become guests: making the folder private does
    /// not clean what is in it.
    fn exists(&self, name: &str, directory: &Path) -> Result<bool> {
        if directory.symlink_metadata().is_err() {
            return Ok(false);
        }
        let found = Folder::open(directory).and_then(|found| found.check_inside_with_symlinks());
        match found {
            Ok(()) => Ok(true),
            Err(error) if error.is_distrust() => {
                self.message(name, &format!("made anew, because {error}"));
                fs::remove_dir_all(directory)
                    .with_context(|| format!("cannot remove `{}`", directory.display()))?;
                Ok(false)
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Says something about a step.
    pub(super) fn message(&self, name: &str, text: &str) {
        self.progress.message(name, text);
    }

    /// Does a step unless it was done before; gives the directory with its result.
    pub(super) fn run(
        &self,
        step: Step<'_>,
        make: impl FnOnce(&Path) -> Result<()>,
    ) -> Result<PathBuf> {
        let Step {
            name,
            detail,
            inputs,
            network,
        } = step;
        let digest = HEXLOWER.encode(&inputs.0.finalize());
        let key = digest.get(..16).unwrap_or(&digest);
        let target = self.root.join(format!("{name}-{key}"));
        self.used
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(target.clone());
        if self.exists(name, &target)? {
            return Ok(target);
        }
        if network == Network::Needed && self.registries == Registries::Offline {
            bail!("{detail}: this needs the network, and the build is offline");
        }
        self.progress.step(name, detail);
        let start = Instant::now();
        let new = tempfile::Builder::new()
            .prefix(&format!(".{name}-"))
            .permissions(Permissions::from_mode(0o700))
            .tempdir_in(&self.root)
            .with_context(|| format!("cannot write to `{}`", self.root.display()))?;
        make(new.path()).with_context(|| format!("cannot make the guests: {detail}"))?;
        fs::rename(new.path(), &target)
            .with_context(|| format!("cannot make `{}`", target.display()))?;
        drop(new.keep());
        self.progress.finished(name, start.elapsed());
        Ok(target)
    }
}

impl Steps<'_> {
    /// Removes results that this build did not use and that are older than [`UNUSED_RESULT_TTL`],
    /// so that the cache does not grow for ever.
    pub(super) fn prune(&self) {
        let used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        let Ok(entries) = fs::read_dir(&self.root) else {
            return;
        };
        for path in entries
            .flatten()
            .map(|entry| entry.path())
            .filter(|path| path.is_dir() && !used.contains(path))
        {
            let age = fs::metadata(&path)
                .and_then(|metadata| metadata.modified())
                .ok()
                .and_then(|time| time.elapsed().ok());
            if age.is_some_and(|age| age > UNUSED_RESULT_TTL)
                && path != self.root.join(COMPILER_CACHE)
            {
                // What cannot be removed now will be next time.
                let _ = fs::remove_dir_all(&path);
            }
        }
    }
}

/// Copies a file, holes included.
pub(super) fn copy_sparse(from: &Path, to: &Path) -> Result<()> {
    let mut content = Vec::new();
    File::open(from)
        .and_then(|mut file| file.read_to_end(&mut content))
        .with_context(|| format!("cannot read `{}`", from.display()))?;
    write_sparse(to, &content).with_context(|| format!("cannot write `{}`", to.display()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::Cell;

    struct Silent;

    impl Progress for Silent {
        fn step(&self, _: &str, _: &str) {}
        fn message(&self, _: &str, _: &str) {}
        fn finished(&self, _: &str, _: Duration) {}
    }

    fn step<'a>(detail: &'a str, inputs: Inputs, network: Network) -> Step<'a> {
        Step {
            name: "name",
            detail,
            inputs,
            network,
        }
    }

    fn count(root: &Path) -> usize {
        fs::read_dir(root).unwrap().count()
    }

    /// A folder that was writable by others once may hold anything.
    #[test]
    fn a_result_that_others_can_have_changed_is_made_anew() {
        let root = tempfile::tempdir().unwrap();
        let steps = Steps::new(root.path().to_owned(), Registries::Online, &Silent);
        let run = || {
            let inputs = Inputs::new("recipe");
            let made = steps.run(step("detail", inputs, Network::Unneeded), |new| {
                fs::create_dir(new.join("below"))?;
                std::os::unix::fs::symlink("below", new.join("link"))?;
                Ok(fs::write(new.join("below/program"), "ours")?)
            });
            made.unwrap()
        };
        let program = run().join("below/program");
        let written = |text: &str, mode| {
            fs::write(&program, text).unwrap();
            fs::set_permissions(&program, Permissions::from_mode(mode)).unwrap();
            run();
            fs::read_to_string(&program).unwrap()
        };
        assert_eq!(written("theirs", 0o666), "ours");
        assert_eq!(written("kept", 0o644), "kept");
    }

    #[test]
    fn a_step_is_done_once_for_the_same_inputs() {
        let root = tempfile::tempdir().unwrap();
        let steps = Steps::new(root.path().to_owned(), Registries::Online, &Silent);
        let done = Cell::new(0);
        let run = |input: &str| {
            steps.run(
                step(
                    "detail",
                    Inputs::new("recipe").text(input),
                    Network::Unneeded,
                ),
                |new| {
                    done.set(done.get() + 1);
                    fs::write(new.join("file"), input).map_err(Into::into)
                },
            )
        };
        let first = run("a").unwrap();
        assert_eq!(first, run("a").unwrap());
        assert_ne!(first, run("b").unwrap());
        assert_eq!(done.get(), 2);
        assert_eq!(fs::read_to_string(first.join("file")).unwrap(), "a");
        steps.prune();
        assert_eq!(count(root.path()), 2, "what was used stays");
    }

    #[test]
    fn a_failed_step_leaves_nothing_and_says_which_it_was() {
        let root = tempfile::tempdir().unwrap();
        let steps = Steps::new(root.path().to_owned(), Registries::Online, &Silent);
        let result = steps.run(
            step("doing this", Inputs::new(""), Network::Unneeded),
            |new| {
                fs::write(new.join("half"), "")?;
                bail!("because")
            },
        );
        assert_eq!(
            format!("{:#}", result.unwrap_err()),
            "cannot make the guests: doing this: because"
        );
        assert_eq!(count(root.path()), 0);
    }

    #[test]
    fn an_offline_build_fetches_nothing() {
        let root = tempfile::tempdir().unwrap();
        let steps = Steps::new(root.path().to_owned(), Registries::Offline, &Silent);
        let result = steps.run(step("fetching", Inputs::new(""), Network::Needed), |_| {
            Ok(())
        });
        assert!(
            result
                .unwrap_err()
                .to_string()
                .starts_with("fetching: this needs the network")
        );
    }
}
