//! Trusted folders: which users can have written a file?
//!
//! Machine code, the guests, the package resolver and the state of a service are loaded from
//! folders that only this user and root can have changed. A folder is trusted if it and every
//! directory above it belong to one of the two and no other user can write to them, as OpenSSH
//! requires of its files. A directory with the sticky bit, such as `/tmp`, may be above: other
//! users cannot replace this user's entries in it.
//!
//! Everything is opened by file descriptor, from `/` downwards, and never by its path a second
//! time, which rules out TOCTOU races (CWE-367). Symlinks are followed one by one; each must lie in
//! a trusted directory.

pub use crate::trust::FolderError;

use crate::own::{self, Contents};
use crate::trust::{Groups, OTHERS_WRITE, check_owner};
use crate::walk::{EXECUTE, Walk};
use rustix::fs::{FileType, Mode, OFlags};
use rustix::io::Errno;
use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Read as _};
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStringExt as _;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

/// All permissions of the group and of others.
const OTHERS: u32 = 0o077;

/// A folder that only this user and root can change.
#[derive(Debug)]
pub struct Folder {
    descriptor: OwnedFd,
    path: PathBuf,
    groups: Groups,
}

/// The symlinks that a check of a folder accepts.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Symlinks {
    Refused,
    /// Those of this user and root.
    Own,
}

/// Opens a file that holds a secret or says whom to trust.
///
/// # Errors
///
/// If it is no regular file, or another user can have changed or can replace it.
pub fn open_trusted_file(path: &Path) -> Result<File, FolderError> {
    let whole = std::path::absolute(path).map_err(|error| FolderError::io(path, error))?;
    Walk::from_root(Groups::Usual)?.to(&whole)?.file()
}

impl Folder {
    /// Opens a folder, which from then on is an [own](crate::own) one.
    ///
    /// # Errors
    ///
    /// If it does not exist, or another user can have changed or can replace it.
    pub fn open(path: &Path) -> Result<Self, FolderError> {
        let whole = std::path::absolute(path).map_err(|error| FolderError::io(path, error))?;
        let folder = Self::opened(Walk::from_root(Groups::None)?.to(&whole)?, Groups::None)?;
        own::register(folder.path.clone(), Contents::Trusted);
        Ok(folder)
    }

    /// Opens a folder with programs of the system or of this user. Unlike [`Folder::open`], it
    /// accepts group write permission as distributions set it up: groups below 100 on root's
    /// entries (`/usr/local/bin` is `root:staff` with mode 2775 on Debian), and the user's own
    /// group, of the same number, on the user's entries.
    ///
    /// # Errors
    ///
    /// As for [`Folder::open`], and if the path leads through `/proc`, which is a different one for
    /// the started program.
    pub fn of_programs(path: &Path) -> Result<Self, FolderError> {
        let whole = std::path::absolute(path).map_err(|error| FolderError::io(path, error))?;
        Self::opened(Walk::from_root(Groups::Usual)?.to(&whole)?, Groups::Usual)
    }

    /// Checks a folder for temporary files, such as `/tmp`: other users may add entries to it if it
    /// has the sticky bit, and cannot replace this user's.
    ///
    /// # Errors
    ///
    /// If it does not exist, or another user can replace entries in it.
    pub fn check_temporary(path: &Path) -> Result<(), FolderError> {
        let whole = std::path::absolute(path).map_err(|error| FolderError::io(path, error))?;
        Walk::from_root(Groups::Usual)?
            .to(&whole)?
            .directory()
            .map(drop)
    }

    /// Returns whether the folder has a program of that name.
    ///
    /// # Errors
    ///
    /// If another user can have changed or can replace it.
    pub fn has_program(&self, name: &str) -> Result<bool, FolderError> {
        match self.walk()?.to(Path::new(name)) {
            Ok(walk) => walk.is_program(),
            Err(error) if error.is_distrust() => Err(error),
            Err(_) => Ok(false),
        }
    }

    /// Returns the first bytes of a program of that name.
    ///
    /// # Errors
    ///
    /// As for [`Folder::has_program`], and if it cannot be read.
    pub(crate) fn start_of(&self, name: &str, most: u64) -> Result<Vec<u8>, FolderError> {
        let mut start = Vec::new();
        let read = self
            .walk()?
            .to(Path::new(name))?
            .file()?
            .take(most)
            .read_to_end(&mut start);
        read.map_err(|error| FolderError::io(&self.path.join(name), error))?;
        Ok(start)
    }

    /// Checks every program in the folder, for those that will be looked up there by other
    /// programs.
    ///
    /// # Errors
    ///
    /// For the first one that another user can have changed or can replace, wherever symlinks lead
    /// to it.
    pub fn check_programs(&self) -> Result<(), FolderError> {
        let failed = |error: Errno| FolderError::io(&self.path, error);
        for entry in rustix::fs::Dir::read_from(&self.descriptor).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            let name = entry.file_name();
            let Ok(about) = rustix::fs::statat(
                &self.descriptor,
                name,
                rustix::fs::AtFlags::SYMLINK_NOFOLLOW,
            ) else {
                continue;
            };
            let path = self.path.join(OsString::from_vec(name.to_bytes().to_vec()));
            match FileType::from_raw_mode(about.st_mode) {
                // The usual case, at the price of one system call.
                FileType::RegularFile if about.st_mode & EXECUTE == 0 => {}
                FileType::RegularFile if about.st_mode & OTHERS_WRITE == 0 => {
                    check_owner(&about, &path)?
                }
                FileType::RegularFile | FileType::Symlink => {
                    let name = path.file_name().unwrap_or_default();
                    match self.walk()?.to(Path::new(name)) {
                        Err(error) if error.is_distrust() => return Err(error),
                        _ => {}
                    }
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Opens a folder; missing directories are created for this user alone.
    ///
    /// # Errors
    ///
    /// As for [`Folder::open`], and if it cannot be created.
    pub fn create(path: &Path) -> Result<Self, FolderError> {
        match Self::open(path) {
            Err(error) if error.is_missing() => {
                let made = std::fs::DirBuilder::new()
                    .recursive(true)
                    .mode(0o700)
                    .create(path);
                made.map_err(|error| FolderError::io(path, error))?;
                Self::open(path)
            }
            other => other,
        }
    }

    /// Opens a folder inside, by a relative path.
    ///
    /// # Errors
    ///
    /// As for [`Folder::open`].
    pub fn folder(&self, inside: impl AsRef<Path>) -> Result<Self, FolderError> {
        Self::opened(self.walk()?.to(inside.as_ref())?, self.groups)
    }

    /// Opens a file inside for reading, by a relative path.
    ///
    /// # Errors
    ///
    /// As for [`Folder::open`], and if it is no regular file.
    pub fn file(&self, inside: impl AsRef<Path>) -> Result<File, FolderError> {
        self.walk()?.to(inside.as_ref())?.file()
    }

    /// Returns whether the folder has an entry of that name.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        rustix::fs::statat(
            &self.descriptor,
            name,
            rustix::fs::AtFlags::SYMLINK_NOFOLLOW,
        )
        .is_ok()
    }

    /// Removes all permissions of group and others, if there are any and this user owns it; returns
    /// the former mode. From then on no program may read the folder through a mount.
    ///
    /// # Errors
    ///
    /// If it belongs to root, and this user is not root.
    pub fn make_private(&self) -> Result<Option<u32>, FolderError> {
        own::register(self.path.clone(), Contents::Private);
        let failed = |error: Errno| FolderError::io(&self.path, error);
        let mode = rustix::fs::fstat(&self.descriptor).map_err(failed)?.st_mode & 0o7777;
        if mode & OTHERS == 0 {
            return Ok(None);
        }
        rustix::fs::fchmod(&self.descriptor, Mode::from_raw_mode(mode & 0o700)).map_err(failed)?;
        Ok(Some(mode))
    }

    /// Checks everything inside: another user may still hold an open file descriptor of what that
    /// user owns or could write.
    ///
    /// # Errors
    ///
    /// For the first entry that belongs to another user, is a symlink, or is writable by others.
    pub fn check_inside(&self) -> Result<(), FolderError> {
        self.check_entries(Symlinks::Refused)
    }

    /// Checks everything inside a folder in which programs of this user made symlinks.
    ///
    /// # Errors
    ///
    /// As for [`Folder::check_inside`], except for symlinks that belong to this user or root.
    pub fn check_inside_with_symlinks(&self) -> Result<(), FolderError> {
        self.check_entries(Symlinks::Own)
    }

    fn check_entries(&self, symlinks: Symlinks) -> Result<(), FolderError> {
        let own = self
            .to_file()
            .map_err(|error| FolderError::io(&self.path, error))?;
        let mut left = vec![(own, self.path.clone())];
        while let Some((directory, path)) = left.pop() {
            let failed = |error: Errno| FolderError::io(&path, error);
            for entry in rustix::fs::Dir::read_from(&directory).map_err(failed)? {
                let entry = entry.map_err(failed)?;
                let name = entry.file_name();
                if matches!(name.to_bytes(), b"." | b"..") {
                    continue;
                }
                let inside = path.join(OsString::from_vec(name.to_bytes().to_vec()));
                let about = match rustix::fs::statat(
                    &directory,
                    name,
                    rustix::fs::AtFlags::SYMLINK_NOFOLLOW,
                ) {
                    // Another process of this service may have removed it a moment ago.
                    Err(Errno::NOENT) => continue,
                    found => found.map_err(failed)?,
                };
                check_owner(&about, &inside)?;
                match FileType::from_raw_mode(about.st_mode) {
                    FileType::Symlink if symlinks == Symlinks::Own => {}
                    FileType::Symlink => return Err(FolderError::io(&inside, Errno::LOOP)),
                    _ if about.st_mode & OTHERS_WRITE != 0 => {
                        return Err(FolderError::Writable {
                            path: inside,
                            mode: about.st_mode & 0o7777,
                        });
                    }
                    FileType::Directory => {
                        let flags =
                            OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
                        match rustix::fs::openat(&directory, name, flags, Mode::empty()) {
                            Err(Errno::NOENT) => {}
                            below => left.push((File::from(below.map_err(failed)?), inside)),
                        }
                    }
                    _ => {}
                }
            }
        }
        Ok(())
    }

    /// Returns the real path, without symlinks.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Returns the folder as an open file, for `openat` and the like.
    ///
    /// # Errors
    ///
    /// If no file descriptors are left.
    pub fn to_file(&self) -> io::Result<File> {
        self.descriptor.try_clone().map(File::from)
    }

    fn opened(walk: Walk, groups: Groups) -> Result<Self, FolderError> {
        let (descriptor, path) = walk.private_directory()?;
        Ok(Self {
            descriptor,
            path,
            groups,
        })
    }

    fn walk(&self) -> Result<Walk, FolderError> {
        let descriptor = self
            .descriptor
            .try_clone()
            .map_err(|error| FolderError::io(&self.path, error))?;
        Ok(Walk::from_directory(
            descriptor,
            self.path.clone(),
            self.groups,
        ))
    }
}

#[cfg(test)]
#[expect(
    clippy::disallowed_methods,
    reason = "the tests look into folders of their own"
)]
mod tests {
    use super::*;
    use crate::trust::user;
    use std::fs;
    use std::os::unix::fs::{PermissionsExt as _, chown, symlink};

    const NOBODY: u32 = 65534;

    fn mode(path: &Path, mode: u32) {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    }

    /// Returns `above/folder/file` with correct permissions.
    fn place() -> (tempfile::TempDir, PathBuf) {
        let place = tempfile::tempdir().unwrap();
        let folder = place.path().join("above/folder");
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("file"), "content").unwrap();
        for (path, bits) in [
            ("above", 0o755),
            ("above/folder", 0o755),
            ("above/folder/file", 0o644),
        ] {
            mode(&place.path().join(path), bits);
        }
        (place, folder)
    }

    fn read(folder: &Path) -> Result<String, FolderError> {
        Folder::open(folder)?
            .file("file")
            .map(|file| io::read_to_string(file).unwrap())
    }

    /// A change to a correct folder, the expected message, and whether only root can make the
    /// change.
    type Change = (fn(&Path), &'static str, bool);

    const DISTRUSTED: [Change; 12] = [
        (
            |folder| mode(folder, 0o777),
            "chmod go-w '{}/above/folder'",
            false,
        ),
        (|folder| mode(folder, 0o775), "(mode 0775)", false),
        (|folder| mode(folder, 0o1777), "name a folder in it", false),
        (
            |folder| mode(folder.parent().unwrap(), 0o777),
            "chmod go-w '{}/above'",
            false,
        ),
        (
            |folder| mode(folder.parent().unwrap(), 0o770),
            "(mode 0770)",
            false,
        ),
        (
            |folder| mode(&folder.join("file"), 0o666),
            "chmod go-w '{}/above/folder/file'",
            false,
        ),
        (
            |folder| mode(&folder.join("file"), 0o664),
            "(mode 0664)",
            false,
        ),
        (
            |folder| chown(folder, Some(NOBODY), None).unwrap(),
            "belongs to user 65534",
            true,
        ),
        (
            |folder| chown(folder.parent().unwrap(), Some(NOBODY), None).unwrap(),
            "chown 0 '{}/above'",
            true,
        ),
        (
            |folder| chown(folder.join("file"), Some(NOBODY), None).unwrap(),
            "belongs to user 65534",
            true,
        ),
        (
            |folder| {
                // In a directory with the sticky bit, other users can rename their own entries.
                mode(folder.parent().unwrap(), 0o1777);
                chown(folder, Some(NOBODY), None).unwrap();
            },
            "belongs to user 65534",
            true,
        ),
        (
            |folder| {
                fs::rename(folder, folder.with_file_name("real")).unwrap();
                symlink("real", folder).unwrap();
                std::os::unix::fs::lchown(folder, Some(NOBODY), None).unwrap();
            },
            "belongs to user 65534",
            true,
        ),
    ];

    #[test]
    fn folders_that_others_can_change_are_refused_with_a_remedy() {
        let is_root = user() == 0;
        for (number, (change, says, needs_root)) in DISTRUSTED.into_iter().enumerate() {
            let (place, folder) = place();
            assert_eq!(read(&folder).unwrap(), "content");
            if needs_root && !is_root {
                continue;
            }
            change(&folder);
            let error = read(&folder).unwrap_err();
            let says = says.replace("{}", &place.path().display().to_string());
            assert!(
                error.is_distrust() && error.to_string().contains(&says),
                "{number}: {error}"
            );
        }
    }

    #[test]
    fn folder_of_the_own_user_is_used() {
        let table: [fn(&Path); 5] = [
            |folder| mode(folder, 0o700),
            |folder| mode(folder.parent().unwrap(), 0o1777),
            |folder| {
                fs::rename(folder, folder.with_file_name("real")).unwrap();
                symlink("real", folder).unwrap();
            },
            |folder| {
                let real = folder.with_file_name("real");
                fs::rename(folder, &real).unwrap();
                symlink(real.join("../../above/./real"), folder).unwrap();
            },
            |folder| {
                fs::rename(folder.join("file"), folder.join("other")).unwrap();
                symlink("../folder/other", folder.join("file")).unwrap();
            },
        ];
        for change in table {
            let (_place, folder) = place();
            change(&folder);
            assert_eq!(read(&folder).unwrap(), "content");
        }
    }

    #[test]
    fn path_that_is_no_folder_or_file_is_an_error() {
        let (_place, folder) = place();
        symlink("loop", folder.join("loop")).unwrap();
        let open = Folder::open(&folder).unwrap();
        assert!(open.file("none").unwrap_err().is_missing());
        assert!(Folder::open(&folder.join("none")).unwrap_err().is_missing());
        for wrong in ["loop", "file/x", ".", ""] {
            assert!(!open.file(wrong).unwrap_err().is_distrust(), "{wrong}");
        }
        assert!(Folder::open(&folder.join("file")).is_err());
        assert!(open.has("file") && !open.has("none"));
    }

    #[test]
    fn a_folder_is_made_for_this_user_alone_and_closed_to_others() {
        let (_place, folder) = place();
        let made = Folder::create(&folder.join("a/b")).unwrap();
        assert_eq!(
            fs::metadata(made.path()).unwrap().permissions().mode() & 0o777,
            0o700
        );
        assert_eq!(made.make_private().unwrap(), None);
        let open = Folder::open(&folder).unwrap();
        assert_eq!(open.make_private().unwrap(), Some(0o755));
        assert_eq!(
            fs::metadata(&folder).unwrap().permissions().mode() & 0o777,
            0o700
        );
        assert_eq!(open.make_private().unwrap(), None);
    }

    /// Tests that a folder of programs is checked as others are, except for the default groups of
    /// distributions.
    #[test]
    fn a_folder_of_programs_may_have_the_usual_groups() {
        let own = rustix::process::getegid().as_raw();
        let group = |path: &Path, group: u32, bits: u32| {
            let set = chown(path, None, Some(group));
            mode(path, bits);
            set.is_ok()
        };
        let (_place, folder) = place();
        let (file, above) = (folder.join("file"), folder.parent().unwrap());
        let has = || Folder::of_programs(&folder)?.has_program("file");
        assert!(!has().unwrap(), "it cannot be executed");
        mode(&file, 0o755);
        assert!(has().unwrap());
        assert!(
            !Folder::of_programs(&folder)
                .unwrap()
                .has_program("none")
                .unwrap()
        );
        if user() == own {
            for path in [&folder, above, &file] {
                assert!(group(path, own, 0o2775));
                assert!(
                    has().unwrap() && Folder::open(path).is_err(),
                    "{}",
                    path.display()
                );
                mode(path, 0o755);
            }
        }
        for path in [&folder, above, &file] {
            mode(path, 0o757);
            assert!(has().unwrap_err().is_distrust(), "{}", path.display());
            if user() == 0 {
                assert!(
                    group(path, 50, 0o2775) && has().unwrap(),
                    "`staff` may write to {}",
                    path.display()
                );
                for number in [100, 1000, NOBODY] {
                    assert!(group(path, number, 0o2775));
                    assert!(
                        has().unwrap_err().is_distrust(),
                        "{number} may write to {}",
                        path.display()
                    );
                }
                group(path, own, 0o755);
                chown(path, Some(NOBODY), None).unwrap();
                assert!(has().unwrap_err().is_distrust(), "{}", path.display());
                chown(path, Some(0), None).unwrap();
            }
            mode(path, 0o755);
            assert!(has().unwrap());
        }
        for path in ["/proc/self/cwd", "/dev/fd", "/proc/self/root/usr/bin"] {
            assert!(Folder::of_programs(Path::new(path)).is_err(), "{path}");
        }
    }

    #[test]
    fn temporary_files_lie_where_others_cannot_replace_them() {
        let (_place, folder) = place();
        let above = folder.parent().unwrap();
        for (path, bits, is_safe) in [
            (folder.as_path(), 0o755, true),
            (&folder, 0o700, true),
            (&folder, 0o1777, true),
            (&folder, 0o777, false),
            (&folder, 0o757, false),
            (above, 0o777, false),
            (above, 0o1777, true),
        ] {
            mode(path, bits);
            assert_eq!(
                Folder::check_temporary(&folder).is_ok(),
                is_safe,
                "{} {bits:o}",
                path.display()
            );
            mode(path, 0o755);
        }
        assert!(Folder::check_temporary(&folder.join("file")).is_err());
        assert!(
            Folder::check_temporary(&folder.join("missing"))
                .unwrap_err()
                .is_missing()
        );
        if chown(&folder, Some(NOBODY), None).is_ok() {
            for bits in [0o755, 0o1777] {
                mode(&folder, bits);
                assert!(
                    Folder::check_temporary(&folder).unwrap_err().is_distrust(),
                    "{bits:o}"
                );
            }
        }
    }

    /// Tests that an opened folder stays the checked one while its path is swapped (TOCTOU).
    #[test]
    fn a_path_that_is_swapped_changes_nothing() {
        let (place, folder) = place();
        let evil = place.path().join("evil");
        fs::create_dir(&evil).unwrap();
        fs::write(evil.join("file"), "evil").unwrap();
        mode(&evil.join("file"), 0o666);
        let over = std::sync::atomic::AtomicBool::new(false);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                while !over.load(std::sync::atomic::Ordering::Relaxed) {
                    let _ = rustix::fs::renameat_with(
                        rustix::fs::CWD,
                        &folder,
                        rustix::fs::CWD,
                        &evil,
                        rustix::fs::RenameFlags::EXCHANGE,
                    );
                }
            });
            for _ in 0..2000 {
                match read(&folder) {
                    Ok(content) => assert_eq!(content, "content"),
                    Err(error) => assert!(error.is_distrust(), "{error}"),
                }
            }
            over.store(true, std::sync::atomic::Ordering::Relaxed);
        });
    }
}
