//! Saving of artifacts: how do a guest's files get onto the host without path traversal?
//!
//! The only module that writes files of a guest to the host. Their names come from the guest, so
//! everything is opened below the one directory that the command line named, no symlink is
//! followed, and nothing is written through an existing file.

use crate::cli::ArtifactRule;
use crate::exit::Failure;
use crate::terminal::name;
use cap_std::ambient_authority;
use cap_std::fs::{Dir, OpenOptions};
use globset::{GlobBuilder, GlobMatcher};
use glovebox::Artifact;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

/// Globs of artifacts, and the directory for each.
#[derive(Debug)]
pub(crate) struct ArtifactRules(Vec<(GlobMatcher, PathBuf)>);

/// The result of saving one artifact.
#[derive(Debug)]
pub(crate) struct Saved<'a> {
    /// The artifact.
    pub(crate) artifact: &'a Artifact,
    /// The file on the host, or why it was not saved.
    pub(crate) result: Result<PathBuf, String>,
}

impl ArtifactRules {
    /// Parses the globs, with the syntax of the sandbox.
    pub(crate) fn new(rules: &[ArtifactRule]) -> Result<Self, Failure> {
        let read = |rule: &ArtifactRule| {
            let glob = GlobBuilder::new(&rule.glob).literal_separator(true).build();
            glob.map(|glob| (glob.compile_matcher(), rule.folder.clone())).map_err(|error| {
                let advice = "`*` matches within a folder, `**` across folders: `--artifact 'out/**=results'`";
                Failure::usage(format!("`{}` is no pattern for artifacts: {}", name(&rule.glob), error.kind())).advise(advice)
            })
        };
        rules.iter().map(read).collect::<Result<_, _>>().map(Self)
    }

    /// Saves every artifact into the directory of the first rule that it matches.
    pub(crate) fn save<'a>(&self, artifacts: &'a [Artifact]) -> Vec<Saved<'a>> {
        let matching = artifacts.iter().filter_map(|artifact| {
            let (_, folder) = self
                .0
                .iter()
                .find(|(glob, _)| glob.is_match(&artifact.path))?;
            Some(Saved {
                artifact,
                result: save(folder, artifact),
            })
        });
        matching.collect()
    }

    /// Returns the globs that match none of the artifacts.
    pub(crate) fn unmatched<'a>(
        &'a self,
        artifacts: &'a [Artifact],
    ) -> impl Iterator<Item = &'a str> {
        let unmatched = |glob: &&GlobMatcher| {
            !artifacts
                .iter()
                .any(|artifact| glob.is_match(&artifact.path))
        };
        self.0
            .iter()
            .map(|(glob, _)| glob)
            .filter(unmatched)
            .map(|glob| glob.glob().glob())
    }
}

/// Saves a file below a directory, which is created if it is missing.
pub(super) fn save(folder: &Path, artifact: &Artifact) -> Result<PathBuf, String> {
    let path = Plain::of(&artifact.path)?;
    let failed =
        |error: io::Error| format!("in `{}`: {error}", name(&folder.display().to_string()));
    #[expect(
        clippy::disallowed_methods,
        reason = "the person at the command line named the folder, which is the authority to write to it"
    )]
    let root = {
        Dir::create_ambient_dir_all(folder, ambient_authority()).map_err(failed)?;
        Dir::open_ambient_dir(folder, ambient_authority()).map_err(failed)?
    };
    let mut directory = root;
    for part in path.folders {
        directory = enter(&directory, part)?;
    }
    replace(&directory, path.file, &artifact.content)?;
    Ok(folder.join(&artifact.path))
}

/// A relative path of normal components only.
struct Plain<'a> {
    folders: Vec<&'a str>,
    file: &'a str,
}

impl<'a> Plain<'a> {
    fn of(path: &'a str) -> Result<Self, String> {
        let mut folders: Vec<&str> = path.split('/').collect();
        let strange =
            |part: &&str| part.is_empty() || *part == "." || *part == ".." || part.contains('\0');
        if folders.iter().any(strange) {
            return Err("its path leaves the folder, or is no plain path".to_owned());
        }
        let file = folders.pop().unwrap_or_default();
        Ok(Self { folders, file })
    }
}

/// Opens a directory, which is created if it is missing; a symlink is refused, whatever its target.
fn enter(directory: &Dir, part: &str) -> Result<Dir, String> {
    let failed = |error: io::Error| format!("`{}`: {error}", name(part));
    match directory.symlink_metadata(part) {
        Ok(metadata) if metadata.is_dir() => {}
        Ok(_) => {
            return Err(format!(
                "`{}` is there and is no folder; links are not followed",
                name(part)
            ));
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            directory.create_dir(part).map_err(failed)?
        }
        Err(error) => return Err(failed(error)),
    }
    directory.open_dir(part).map_err(failed)
}

/// Replaces whatever has the file's name, be it a file or a symlink, by an atomic rename.
fn replace(directory: &Dir, file: &str, content: &[u8]) -> Result<(), String> {
    let failed = |error: io::Error| format!("`{}`: {error}", name(file));
    if directory
        .symlink_metadata(file)
        .is_ok_and(|metadata| metadata.is_dir())
    {
        return Err(format!("there is a folder called `{}`", name(file)));
    }
    let (temporary, mut new) = temporary(directory).map_err(failed)?;
    let written = new
        .write_all(content)
        .and_then(|()| directory.rename(&temporary, directory, file));
    written.map_err(|error| {
        // The first error is the one that matters.
        let _ = directory.remove_file(&temporary);
        failed(error)
    })
}

/// Creates a file under an unused name.
fn temporary(directory: &Dir) -> io::Result<(String, cap_std::fs::File)> {
    let mut attempt = 0_u32;
    loop {
        let temporary = format!(".glovebox-{}-{attempt}", std::process::id());
        match directory.open_with(&temporary, OpenOptions::new().write(true).create_new(true)) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists && attempt < 1000 => {
                attempt += 1
            }
            result => return result.map(|file| (temporary, file)),
        }
    }
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "files of the tests")]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::symlink;

    fn artifact(path: &str) -> Artifact {
        Artifact {
            path: path.to_owned(),
            content: b"new".to_vec(),
        }
    }

    fn saved(folder: &Path, path: &str) -> Result<PathBuf, String> {
        save(folder, &artifact(path))
    }

    #[test]
    fn artifacts_lie_below_the_folder() {
        let host = tempfile::tempdir().unwrap();
        let folder = host.path().join("made/when/missing");
        assert_eq!(
            saved(&folder, "a/b/c.txt").unwrap(),
            folder.join("a/b/c.txt")
        );
        assert_eq!(
            saved(&folder, "a/b/d.txt").unwrap(),
            folder.join("a/b/d.txt")
        );
        assert_eq!(fs::read(folder.join("a/b/c.txt")).unwrap(), b"new");
        assert_eq!(
            fs::read_dir(folder.join("a/b")).unwrap().count(),
            2,
            "nothing temporary is left"
        );
    }

    #[test]
    fn a_file_is_replaced_whole() {
        let host = tempfile::tempdir().unwrap();
        fs::write(host.path().join("x"), "much longer than before").unwrap();
        saved(host.path(), "x").unwrap();
        assert_eq!(fs::read(host.path().join("x")).unwrap(), b"new");
    }

    #[test]
    fn no_path_leaves_the_folder() {
        let host = tempfile::tempdir().unwrap();
        let folder = host.path().join("in");
        for path in [
            "../x",
            "a/../../x",
            "/x",
            "/tmp/x",
            "",
            ".",
            "..",
            "a/",
            "a//b",
            "./x",
            "x\0y",
        ] {
            assert!(saved(&folder, path).is_err(), "{path:?}");
        }
        assert!(!folder.exists());
        assert_eq!(fs::read_dir(host.path()).unwrap().count(), 0);
    }

    #[test]
    fn artifact_is_not_written_through_a_link() {
        let host = tempfile::tempdir().unwrap();
        let (outside, folder) = (host.path().join("outside"), host.path().join("in"));
        fs::create_dir_all(&outside).unwrap();
        fs::create_dir_all(&folder).unwrap();
        fs::write(outside.join("kept"), "old").unwrap();
        symlink(&outside, folder.join("folder")).unwrap();
        symlink(outside.join("kept"), folder.join("file")).unwrap();
        symlink("inside", folder.join("here")).unwrap();
        fs::create_dir(folder.join("inside")).unwrap();
        assert!(
            saved(&folder, "folder/kept")
                .unwrap_err()
                .contains("links are not followed")
        );
        assert!(
            saved(&folder, "here/x")
                .unwrap_err()
                .contains("links are not followed")
        );
        // The symlink itself is replaced, not its target.
        saved(&folder, "file").unwrap();
        assert_eq!(fs::read(folder.join("file")).unwrap(), b"new");
        assert!(
            !fs::symlink_metadata(folder.join("file"))
                .unwrap()
                .is_symlink()
        );
        assert_eq!(fs::read(outside.join("kept")).unwrap(), b"old");
        assert!(
            saved(&folder, "inside")
                .unwrap_err()
                .contains("a folder called")
        );
    }

    #[test]
    fn the_first_rule_that_matches_decides() {
        let host = tempfile::tempdir().unwrap();
        let rule = |glob: &str, folder: &str| ArtifactRule {
            glob: glob.to_owned(),
            folder: host.path().join(folder),
        };
        let rules = ArtifactRules::new(&[
            rule("*.png", "plots"),
            rule("**", "all"),
            rule("*.gif", "none"),
        ])
        .unwrap();
        let artifacts = [artifact("a.png"), artifact("deep/b.png")];
        let saved: Vec<PathBuf> = rules
            .save(&artifacts)
            .into_iter()
            .map(|saved| saved.result.unwrap())
            .collect();
        assert_eq!(
            saved,
            [
                host.path().join("plots/a.png"),
                host.path().join("all/deep/b.png")
            ]
        );
        assert_eq!(rules.unmatched(&artifacts).collect::<Vec<_>>(), ["*.gif"]);
        assert!(ArtifactRules::new(&[rule("[", "x")]).is_err());
    }
}
