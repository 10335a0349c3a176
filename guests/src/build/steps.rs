//! Which steps of a build were done before, with the same inputs?
//!
//! Each step fills a directory of its own, named by the digest of everything that went in, and appears there whole or not at all.

use super::{Progress, SOURCES};
use crate::installation::write_sparse;
use crate::manifest::hex;
use anyhow::{Context as _, Result, bail, ensure};
use sha2::{Digest as _, Sha256};
use std::collections::BTreeSet;
use std::fs::{self, File, Permissions};
use std::io::Read as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How long a result that no build used is kept: somebody may go back to an earlier commit.
const UNUSED_FOR: Duration = Duration::from_secs(14 * 24 * 60 * 60);

/// The scratch directory of the C compiler.
pub(super) const COMPILER_CACHE: &str = "zig";

/// Whether a step must reach a registry.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Network {
    Needed,
    Unneeded,
}

/// What goes into a step.
pub(super) struct Inputs(Sha256);

impl Inputs {
    /// `recipe` is the text of the code that does the step, so that a changed recipe counts as a changed input.
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

/// Our own sources below a folder, by path relative to it.
pub(super) fn sources(folder: &str) -> impl Iterator<Item = (&'static str, &'static [u8])> {
    SOURCES.iter().filter_map(move |(name, content)| {
        let inside = name.strip_prefix(folder)?.strip_prefix('/')?;
        Some((inside, *content))
    })
}

/// One of our own sources, as text.
pub(super) fn source_text(name: &str) -> Result<&'static str> {
    let (_, content) = SOURCES
        .iter()
        .find(|(path, _)| *path == name)
        .with_context(|| format!("there is no source `{name}`"))?;
    std::str::from_utf8(content).with_context(|| format!("`{name}` is not UTF-8"))
}

/// Writes our own sources below a folder to a directory.
pub(super) fn write_sources(folder: &str, directory: &Path) -> Result<()> {
    let mut any = false;
    for (name, content) in sources(folder) {
        any = true;
        let path = directory.join(name);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent)?;
        }
        fs::write(&path, content).with_context(|| format!("cannot write `{}`", path.display()))?;
    }
    ensure!(any, "there are no sources in `{folder}`");
    Ok(())
}

/// The steps of one build.
pub(super) struct Steps<'a> {
    root: PathBuf,
    offline: bool,
    progress: &'a dyn Progress,
    used: Mutex<BTreeSet<PathBuf>>,
}

impl<'a> Steps<'a> {
    /// Steps whose results lie below `root`.
    pub(super) fn new(root: PathBuf, offline: bool, progress: &'a dyn Progress) -> Self {
        Self {
            root,
            offline,
            progress,
            used: Mutex::default(),
        }
    }

    /// A directory that steps share for what a tool wants to keep.
    pub(super) fn scratch(&self, name: &str) -> PathBuf {
        self.root.join(name)
    }

    /// Says something about a step.
    pub(super) fn message(&self, name: &str, text: &str) {
        self.progress.message(name, text);
    }

    /// Does a step unless it was done before; gives the directory with its result.
    pub(super) fn run(
        &self,
        name: &str,
        detail: &str,
        (inputs, network): (Inputs, Network),
        make: impl FnOnce(&Path) -> Result<()>,
    ) -> Result<PathBuf> {
        let digest = hex(&inputs.0.finalize());
        let key = digest.get(..16).unwrap_or(&digest);
        let target = self.root.join(format!("{name}-{key}"));
        self.used
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(target.clone());
        if target.is_dir() {
            return Ok(target);
        }
        if network == Network::Needed && self.offline {
            bail!(
                "{detail}: this was not done before and needs the network, which this build may not use"
            );
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
    /// Removes results that this build did not use and that are older than [`UNUSED_FOR`], so that the cache does not grow for ever.
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
            if age.is_some_and(|age| age > UNUSED_FOR) && path != self.scratch(COMPILER_CACHE) {
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

    fn count(root: &Path) -> usize {
        fs::read_dir(root).unwrap().count()
    }

    #[test]
    fn a_step_is_done_once_for_the_same_inputs() {
        let root = tempfile::tempdir().unwrap();
        let steps = Steps::new(root.path().to_owned(), false, &Silent);
        let done = Cell::new(0);
        let run = |input: &str| {
            steps.run(
                "name",
                "detail",
                (Inputs::new("recipe").text(input), Network::Unneeded),
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
        let steps = Steps::new(root.path().to_owned(), false, &Silent);
        let result = steps.run(
            "name",
            "doing this",
            (Inputs::new(""), Network::Unneeded),
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
        let steps = Steps::new(root.path().to_owned(), true, &Silent);
        let result = steps.run(
            "name",
            "fetching",
            (Inputs::new(""), Network::Needed),
            |_| Ok(()),
        );
        assert!(
            result
                .unwrap_err()
                .to_string()
                .starts_with("fetching: this was not done before and needs the network")
        );
    }
}
