//! Guest bundle on disk: which files has it, and are they unchanged?

#![expect(
    clippy::disallowed_methods,
    reason = "reads and writes the installation, in a directory of the user's own"
)]

use crate::manifest::{Artefact, FORMAT, Guest, Language, MANIFEST_FILE, Manifest};
use data_encoding::HEXLOWER;
use glovebox_host::folder::{Folder, FolderError};
use sha2::{Digest as _, Sha256};
use std::fs::{self, File, Permissions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Largest manifest that is read; protects the host's memory from a file that is something else.
const MANIFEST_LIMIT: u64 = 1 << 20;

/// Blocks of a file that hold only zeros are left as holes of this size.
const HOLE: usize = 4096;

/// Bytes hashed at a time.
const HASH_BLOCK: usize = 1 << 20;

/// A directory with finished guests.
#[derive(Clone, Debug)]
pub struct Bundle {
    directory: PathBuf,
    /// The same folder, opened when it was checked that no other user can change it.
    folder: Arc<Folder>,
    manifest: Manifest,
}

/// The reason why a bundle cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum BundleError {
    /// A file or directory could not be read or written.
    #[error("cannot use `{}`", path.display())]
    Io {
        /// The file or directory.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// Others than this user and root can have written it, or it can't be opened.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// The manifest is not what this code writes.
    #[error("`{}` is not a manifest of guests", path.display())]
    Syntax {
        /// The manifest.
        path: PathBuf,
        /// The syntax error.
        source: serde_json::Error,
    },
    /// The bundle has another layout.
    #[error("`{}` has format {found}, and this build reads {FORMAT}; make the guests again", path.display())]
    Format {
        /// The manifest.
        path: PathBuf,
        /// The format that it names.
        found: u32,
    },
    /// The manifest contradicts itself.
    #[error("`{}` cannot be right: {problem}", path.display())]
    Inconsistent {
        /// The manifest.
        path: PathBuf,
        /// The contradiction.
        problem: String,
    },
    /// A file is not the one that was installed.
    #[error("`{}` is not the file that was installed: {difference}; remove its directory and make the guests again", path.display())]
    Differs {
        /// The file.
        path: PathBuf,
        /// The expected and the actual length or digest.
        difference: String,
    },
}

impl BundleError {
    pub(crate) fn io(path: &Path) -> impl FnOnce(io::Error) -> Self + '_ {
        move |source| Self::Io {
            path: path.to_owned(),
            source,
        }
    }
}

impl Bundle {
    /// Reads the manifest of a bundle. Cheap: no other file is opened; see [`Self::verify`].
    ///
    /// # Errors
    ///
    /// Where there is no manifest or this code cannot use it, and where others than this user and
    /// root can change it or a directory above.
    pub fn open(directory: impl Into<PathBuf>) -> Result<Self, BundleError> {
        let directory = directory.into();
        let path = directory.join(MANIFEST_FILE);
        let mut text = String::new();
        let folder = Arc::new(Folder::open(&directory)?);
        folder
            .file(MANIFEST_FILE)?
            .take(MANIFEST_LIMIT)
            .read_to_string(&mut text)
            .map_err(BundleError::io(&path))?;
        // The format comes first: a newer manifest may have fields that this code does not know.
        #[derive(serde::Deserialize)]
        struct Head {
            format: u32,
        }
        let syntax = |source| BundleError::Syntax {
            path: path.clone(),
            source,
        };
        let head: Head = serde_json::from_str(&text).map_err(syntax)?;
        if head.format != FORMAT {
            return Err(BundleError::Format {
                path,
                found: head.format,
            });
        }
        let syntax = |source| BundleError::Syntax {
            path: path.clone(),
            source,
        };
        let manifest: Manifest = serde_json::from_str(&text).map_err(syntax)?;
        match manifest.problem() {
            Some(problem) => Err(BundleError::Inconsistent { path, problem }),
            None => Ok(Self {
                directory,
                folder,
                manifest,
            }),
        }
    }

    /// Reads every file and compares it with the manifest.
    ///
    /// # Errors
    ///
    /// [`BundleError::Differs`] names the first file that is not what was installed.
    pub fn verify(&self) -> Result<(), BundleError> {
        let expected = self.manifest.computed_digest();
        if self.manifest.digest != expected {
            return Err(BundleError::Differs {
                path: self.directory.join(MANIFEST_FILE),
                difference: format!(
                    "its digest should be {expected} and is {}",
                    self.manifest.digest
                ),
            });
        }
        for artefact in self.manifest.artefacts() {
            let path = self.path(artefact);
            let found = measure_file(&path, self.file(artefact)?)?;
            let difference = if found.bytes != artefact.bytes {
                format!(
                    "it should have {} bytes and has {}",
                    artefact.bytes, found.bytes
                )
            } else if found.sha256 != artefact.sha256 {
                format!(
                    "its SHA-256 should be {} and is {}",
                    artefact.sha256, found.sha256
                )
            } else {
                continue;
            };
            return Err(BundleError::Differs { path, difference });
        }
        Ok(())
    }

    /// Returns the directory of the bundle.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// Returns the manifest of the bundle.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// The guests, in the order in which they are offered.
    pub fn guests(&self) -> &[Guest] {
        &self.manifest.guests
    }

    /// The path of a file of this bundle.
    pub fn path(&self, artefact: &Artefact) -> PathBuf {
        self.directory.join(&artefact.file)
    }

    /// Opens a file of this bundle, if no other user can have written it.
    ///
    /// # Errors
    ///
    /// Where it is not there, or others than this user and root can have changed it.
    pub fn file(&self, artefact: &Artefact) -> Result<File, FolderError> {
        self.folder.file(&artefact.file)
    }

    /// The guest that evaluates a language, found by its name or an alias, in any case.
    pub fn guest_for_language(&self, language: &str) -> Option<(&Guest, &Language)> {
        self.find(|candidate| {
            std::iter::once(&candidate.name)
                .chain(&candidate.aliases)
                .any(|name| name.eq_ignore_ascii_case(language))
        })
    }

    /// The guest that evaluates files with this extension (without the dot).
    pub fn guest_for_extension(&self, extension: &str) -> Option<(&Guest, &Language)> {
        self.find(|candidate| {
            candidate
                .extensions
                .iter()
                .any(|known| known.eq_ignore_ascii_case(extension))
        })
    }

    fn find(&self, wanted: impl Fn(&Language) -> bool) -> Option<(&Guest, &Language)> {
        self.guests()
            .iter()
            .flat_map(|guest| {
                guest
                    .languages
                    .iter()
                    .map(move |language| (guest, language))
            })
            .find(|(_, language)| wanted(language))
    }
}

/// Describes a file that lies in a bundle's directory.
pub(crate) fn measure(path: &Path) -> Result<Artefact, BundleError> {
    measure_file(path, File::open(path).map_err(BundleError::io(path))?)
}

fn measure_file(path: &Path, mut file: File) -> Result<Artefact, BundleError> {
    let mut digest = Sha256::new();
    let mut bytes = 0;
    let mut block = vec![0; HASH_BLOCK];
    loop {
        let count = file.read(&mut block).map_err(BundleError::io(path))?;
        let Some(read) = block.get(..count).filter(|read| !read.is_empty()) else {
            break;
        };
        digest.update(read);
        bytes += read.len() as u64;
    }
    Ok(Artefact {
        file: path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned(),
        sha256: HEXLOWER.encode(&digest.finalize()),
        bytes,
    })
}

/// Makes a bundle's directory out of nothing: other processes see all of it or none of it.
///
/// `fill` writes the files. Where another process was faster its bundle is taken.
pub(crate) fn install<E: From<BundleError>>(
    target: &Path,
    fill: impl FnOnce(&Path) -> Result<(), E>,
) -> Result<Bundle, E> {
    let parent = target.parent().unwrap_or(Path::new("."));
    let new = create_private_dir(parent)
        .and_then(|()| {
            tempfile::Builder::new()
                .prefix(".new-")
                .permissions(Permissions::from_mode(0o700))
                .tempdir_in(parent)
        })
        .map_err(BundleError::io(parent))?;
    fill(new.path())?;
    // The runtime refuses to load precompiled code that other users could have written.
    for entry in fs::read_dir(new.path()).map_err(BundleError::io(new.path()))? {
        let path = entry.map_err(BundleError::io(new.path()))?.path();
        fs::set_permissions(&path, Permissions::from_mode(0o600))
            .map_err(BundleError::io(&path))?;
        // A rename may reach the disk before the content does.
        File::open(&path)
            .and_then(|file| file.sync_all())
            .map_err(BundleError::io(&path))?;
    }
    Bundle::open(new.path())?;
    match fs::rename(new.path(), target) {
        Ok(()) => drop(new.keep()),
        Err(error) => {
            if Bundle::open(target).is_err() {
                return Err(BundleError::io(target)(error).into());
            }
        }
    }
    Ok(Bundle::open(target)?)
}

/// Writes a file without storing its blocks of zeros; most of a memory image is zeros.
pub(crate) fn write_sparse(path: &Path, content: &[u8]) -> io::Result<()> {
    let mut file = File::create(path)?;
    let mut offset = 0;
    for block in content.chunks(HOLE) {
        if block.iter().any(|byte| *byte != 0) {
            file.seek(SeekFrom::Start(offset))?;
            file.write_all(block)?;
        }
        offset += block.len() as u64;
    }
    file.set_len(offset)
}

/// Makes a directory and the missing ones above it, for the user only.
pub(crate) fn create_private_dir(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt as _;
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::tests::{guest, manifest};

    fn write(directory: &Path, manifest: &Manifest) -> Result<(), BundleError> {
        for guest in &manifest.guests {
            fs::write(directory.join(&guest.component.file), "code").unwrap();
            fs::write(directory.join(&guest.image.file), "memory").unwrap();
        }
        fs::write(
            directory.join(MANIFEST_FILE),
            serde_json::to_vec(manifest).unwrap(),
        )
        .unwrap();
        Ok(())
    }

    fn installed(cache: &tempfile::TempDir) -> Bundle {
        let manifest = manifest(vec![guest("a"), guest("b")]);
        install(&cache.path().join("guests/key"), |directory| {
            write(directory, &manifest)
        })
        .unwrap()
    }

    #[test]
    fn an_installed_bundle_verifies_and_belongs_to_the_user_alone() {
        let cache = tempfile::tempdir().unwrap();
        let bundle = installed(&cache);
        bundle.verify().unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(bundle.directory()), 0o700);
        assert_eq!(mode(&bundle.path(&bundle.guests()[0].image)), 0o600);
        assert_eq!(
            fs::read_dir(cache.path().join("guests")).unwrap().count(),
            1,
            "nothing half-made is left"
        );
    }

    #[test]
    fn the_second_of_two_installers_takes_what_the_first_made() {
        let cache = tempfile::tempdir().unwrap();
        let first = installed(&cache);
        assert_eq!(first.directory(), installed(&cache).directory());
    }

    #[test]
    fn a_failed_installation_leaves_nothing() {
        let cache = tempfile::tempdir().unwrap();
        let target = cache.path().join("guests/key");
        install(&target, |directory| {
            fs::write(directory.join("half"), "").unwrap();
            Err::<(), _>(BundleError::io(directory)(io::Error::other("stop")))
        })
        .unwrap_err();
        assert_eq!(
            fs::read_dir(cache.path().join("guests")).unwrap().count(),
            0
        );
    }

    #[test]
    fn a_changed_file_is_named() {
        let cache = tempfile::tempdir().unwrap();
        let bundle = installed(&cache);
        let image = bundle.path(&bundle.guests()[1].image);
        fs::write(&image, "memorx").unwrap();
        assert!(matches!(bundle.verify(), Err(BundleError::Differs { path, .. }) if path == image));
        fs::write(&image, "longer memory").unwrap();
        let message = bundle.verify().unwrap_err().to_string();
        assert!(
            message.contains("should have 6 bytes and has 13"),
            "{message}"
        );
        fs::remove_file(&image).unwrap();
        assert!(matches!(bundle.verify(), Err(BundleError::Folder(error)) if error.is_missing()));
        fs::write(&image, "memory").unwrap();
        fs::set_permissions(&image, Permissions::from_mode(0o666)).unwrap();
        assert!(matches!(bundle.verify(), Err(BundleError::Folder(error)) if error.is_distrust()));
    }

    #[test]
    fn a_newer_format_says_what_to_do() {
        let directory = tempfile::tempdir().unwrap();
        fs::write(
            directory.path().join(MANIFEST_FILE),
            r#"{"format": 2, "surprise": true}"#,
        )
        .unwrap();
        let error = Bundle::open(directory.path()).unwrap_err();
        assert!(
            matches!(error, BundleError::Format { found: 2, .. }),
            "{error}"
        );
    }

    #[test]
    fn languages_are_found_by_name_alias_and_extension() {
        let cache = tempfile::tempdir().unwrap();
        let bundle = installed(&cache);
        let name = |found: Option<(&Guest, &Language)>| found.map(|(guest, _)| guest.name.clone());
        assert_eq!(name(bundle.guest_for_language("B")).as_deref(), Some("b"));
        assert_eq!(
            name(bundle.guest_for_language("a-alias")).as_deref(),
            Some("a")
        );
        assert_eq!(name(bundle.guest_for_extension("bx")).as_deref(), Some("b"));
        assert_eq!(name(bundle.guest_for_language("c")), None);
    }

    #[test]
    fn holes_read_as_zeros() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("file");
        for length in [0, 1, HOLE, 3 * HOLE + 5] {
            let mut content = vec![0; length];
            if let Some(byte) = content.get_mut(2 * HOLE + 1) {
                *byte = 9;
            }
            write_sparse(&path, &content).unwrap();
            assert_eq!(fs::read(&path).unwrap(), content, "{length} bytes");
        }
    }
}
