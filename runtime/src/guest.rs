//! Guest loading: how does an installed bundle become compiled, linked guests?
//!
//! A guest is described by the bundle's manifest alone: the languages, the component, its memory
//! image and the trees it wants mounted. Nothing here knows Python or JavaScript.

use crate::contract::GuestPre;
use crate::engine::{self, Metering};
use crate::error::{Error, GuestError};
use crate::filesystem::Archive;
use crate::memory::{Image, map};
use crate::precompiled;
use crate::state::{self, RunState};
use glovebox_guests::{Artefact, Bundle};
use glovebox_host::folder::Folder;
use glovebox_host::own;
use std::collections::HashMap;
use std::fs;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

/// The guests of an installation, ready to run. Cheap to clone; can be shared between sandboxes.
#[derive(Clone, Debug)]
pub struct Guests(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    guests: Vec<Arc<Guest>>,
    by_language: HashMap<String, usize>,
}

impl Guests {
    /// Returns the guests that are embedded in the program, or else those that are installed in the
    /// cache folder.
    ///
    /// # Errors
    ///
    /// If there are none; the message says how to install them.
    pub fn installed() -> Result<Self, Error> {
        let cache = glovebox_guests::default_cache_dir().ok_or(GuestError::NoFolder)?;
        let bundle = match glovebox_guests::installed_in(&cache).map_err(GuestError::Bundle)? {
            Some(bundle) => bundle,
            None => glovebox_guests::embedded()
                .ok_or(GuestError::NotInstalled)?
                .unpack(&cache)
                .map_err(GuestError::Bundle)?,
        };
        Self::load(&bundle, &cache)
    }

    /// Loads the guests of a bundle; machine code is cached below `cache`.
    ///
    /// # Errors
    ///
    /// If the bundle's files can't be read, or users other than this one and root can change them.
    pub fn load(bundle: &Bundle, cache: &Path) -> Result<Self, Error> {
        let unreadable = |path: &Path, source| GuestError::File {
            path: path.to_owned(),
            source,
        };
        own::protect(cache);
        let mut guests = Vec::new();
        let mut by_language = HashMap::new();
        // Guests may share an archive or a component.
        let mut archives: HashMap<PathBuf, Arc<Archive>> = HashMap::new();
        let shared = Arc::new(bundle.clone());
        let code = Arc::new(CodeCache {
            place: cache.join("compiled"),
            folder: OnceLock::new(),
        });
        let open = |artefact: &Artefact| bundle.file(artefact).map_err(GuestError::Folder);
        for entry in bundle.guests() {
            let image_path = bundle.path(&entry.image);
            let image = Image::new(open(&entry.image)?)
                .map_err(|error| unreadable(&image_path, error.into()))?;
            let mut trees = Vec::new();
            for tree in &entry.trees {
                let path = bundle.path(&tree.archive);
                let archive = match archives.get(&path) {
                    Some(archive) => Arc::clone(archive),
                    None => {
                        let bytes = map(&open(&tree.archive)?)
                            .map_err(|error| unreadable(&path, error.into()))?;
                        let archive = Archive::index(bytes)
                            .map_err(|error| unreadable(&path, error.into()))?;
                        let archive = Arc::new(archive);
                        archives.insert(path, Arc::clone(&archive));
                        archive
                    }
                };
                trees.push((tree.guest_path.clone(), archive));
            }
            for language in &entry.languages {
                by_language.insert(language.name.clone(), guests.len());
            }
            guests.push(Arc::new(Guest {
                name: entry.name.clone(),
                version: entry.version.clone(),
                workspace: entry.workspace.clone(),
                packages: entry.packages.clone(),
                image: Arc::new(image),
                trees,
                component: entry.component.clone(),
                bundle: Arc::clone(&shared),
                code: Arc::clone(&code),
                loaded: Mutex::default(),
            }));
        }
        Ok(Self(Arc::new(Inner {
            guests,
            by_language,
        })))
    }

    /// Returns the languages that the guests interpret.
    pub fn languages(&self) -> impl Iterator<Item = &str> {
        self.0.by_language.keys().map(String::as_str)
    }

    /// Compiles every guest for this machine (AOT) if that has not been done yet, so that no run
    /// has to wait for it.
    ///
    /// # Errors
    ///
    /// If a guest can't be compiled or its machine code can't be stored.
    pub fn precompile(
        &self,
        metering: Metering,
        mut progress: impl FnMut(&str),
    ) -> Result<(), Error> {
        let engine = engine::engine(metering, DEFAULT_STACK)?;
        for guest in &self.0.guests {
            if !guest
                .code
                .folder()?
                .has(&guest.machine_code(&engine, metering))
            {
                progress(&guest.name);
                guest.compile(&engine, metering)?;
            }
        }
        Ok(())
    }

    pub(crate) fn for_language(&self, language: &str) -> Option<&Arc<Guest>> {
        self.0
            .by_language
            .get(language)
            .and_then(|index| self.0.guests.get(*index))
    }
}

/// The stack size for which guests are precompiled; the code is the same for all.
const DEFAULT_STACK: u64 = 32 << 20;

/// Metering mode and stack size: the key of an engine.
type EngineKey = (Metering, usize);

/// One guest.
pub(crate) struct Guest {
    name: String,
    version: String,
    /// The workspace's path in the guest.
    pub(crate) workspace: String,
    /// The packages' path in the guest.
    pub(crate) packages: Option<String>,
    pub(crate) image: Arc<Image>,
    pub(crate) trees: Vec<(String, Arc<Archive>)>,
    component: Artefact,
    bundle: Arc<Bundle>,
    code: Arc<CodeCache>,
    loaded: Mutex<HashMap<EngineKey, Arc<OnceLock<LoadedGuest>>>>,
}

/// The cache of machine code.
struct CodeCache {
    place: PathBuf,
    /// Checked once, on first use.
    folder: OnceLock<Folder>,
}

impl CodeCache {
    fn folder(&self) -> Result<&Folder, Error> {
        if let Some(folder) = self.folder.get() {
            return Ok(folder);
        }
        let folder = Folder::create(&self.place).map_err(GuestError::CodeFolder)?;
        Ok(self.folder.get_or_init(|| folder))
    }
}

/// A guest that is linked for one engine.
#[derive(Clone)]
pub(crate) struct LoadedGuest {
    pub(crate) pre: GuestPre<RunState>,
}

impl std::fmt::Debug for Guest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Guest({}, {})", self.name, self.version)
    }
}

impl Guest {
    /// Returns the interpreter's version in the form of package tags: the first two numbers.
    pub(crate) fn interpreter(&self) -> String {
        let version = self.version.split(' ').nth(1).unwrap_or_default();
        version.split('.').take(2).collect::<Vec<_>>().join(".")
    }

    /// Returns the guest, linked for the engine of this metering mode and stack size; compiled
    /// first if that has not been done on this machine.
    pub(crate) fn loaded(&self, metering: Metering, stack: u64) -> Result<LoadedGuest, Error> {
        let key = (metering, engine::stack_class(stack));
        let cell = {
            let mut loaded = self.loaded.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(loaded.entry(key).or_default())
        };
        if let Some(loaded) = cell.get() {
            return Ok(loaded.clone());
        }
        let engine = engine::engine(metering, stack)?;
        let (folder, file) = (self.code.folder()?, self.machine_code(&engine, metering));
        if !folder.has(&file) {
            self.compile(&engine, metering)?;
        }
        let component = match precompiled::load(&engine, folder, &file) {
            Ok(component) => component,
            // Made by another version, or corrupt: compiled anew rather than failing for ever.
            Err(precompiled::LoadError::Unfit { .. }) => {
                self.compile(&engine, metering)?;
                precompiled::load(&engine, folder, &file)
                    .map_err(|error| GuestError::Load(error.into()))?
            }
            Err(error) => return Err(GuestError::Load(error.into()).into()),
        };
        let linker = state::guest_linker(&engine)?;
        let pre = linker.instantiate_pre(&component).and_then(GuestPre::new)?;
        Ok(cell.get_or_init(|| LoadedGuest { pre }).clone())
    }

    /// Returns the file name of its machine code: a key over the input, the engine's version and
    /// the target.
    fn machine_code(&self, engine: &wasmtime::Engine, metering: Metering) -> String {
        let mut hasher = DefaultHasher::new();
        engine.precompile_compatibility_hash().hash(&mut hasher);
        format!(
            "{}-{}-{:016x}.cwasm",
            self.component.sha256,
            metering.name(),
            hasher.finish()
        )
    }

    fn compile(&self, engine: &wasmtime::Engine, metering: Metering) -> Result<(), Error> {
        let path = self
            .code
            .folder()?
            .path()
            .join(self.machine_code(engine, metering));
        let failed = |source| GuestError::Store {
            path: path.clone(),
            source,
        };
        let mut component = Vec::new();
        let file = self
            .bundle
            .file(&self.component)
            .map_err(GuestError::Folder)?;
        (&file).read_to_end(&mut component).map_err(failed)?;
        let code =
            engine
                .precompile_component(&component)
                .map_err(|error| GuestError::Compile {
                    guest: self.name.clone(),
                    source: error.into(),
                })?;
        Ok(store(&path, &code).map_err(failed)?)
    }
}

/// Writes a file atomically (temporary file and rename), readable by its owner only.
#[expect(
    clippy::disallowed_methods,
    reason = "writes into the installation's own cache"
)]
fn store(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    use std::os::unix::fs::OpenOptionsExt as _;
    let folder = path.parent().ok_or(std::io::ErrorKind::InvalidInput)?;
    let temporary = folder.join(format!(".{:032x}", rand::random::<u128>()));
    let mut file = fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&temporary)?;
    let written = file
        .write_all(bytes)
        .and_then(|()| file.sync_all())
        .and_then(|()| fs::rename(&temporary, path));
    if written.is_err() {
        // The first error is the one to report.
        let _ = fs::remove_file(&temporary);
    }
    written
}
