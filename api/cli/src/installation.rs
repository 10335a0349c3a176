//! Discovery of guests: which ones does this process use, and where do they come from?

use crate::exit::Failure;
use crate::terminal;
use glovebox::{Guests, Metering};
use glovebox_guests::{Bundle, default_cache_dir, embedded, installed_in};
use glovebox_host::own;
use glovebox_wire::error::chain;
use std::path::PathBuf;

/// The program that compiles untrusted WebAssembly: this very one. The kernel's magic link still
/// resolves to it after an update has replaced the file.
pub(crate) const COMPILER: &str = "/proc/self/exe";

/// The guests of this machine, located but not loaded.
#[derive(Debug)]
pub(crate) struct Installation {
    bundle: Bundle,
    cache: PathBuf,
}

impl Installation {
    /// Finds the guests that this binary carries, unpacked on their first use, or else those that
    /// were built.
    pub(crate) fn find() -> Result<Self, Failure> {
        Self::look()?.ok_or_else(|| {
            Failure::host("there are no guests, and so nothing to run programs in")
                .advise("`glovebox guests build` makes them; that takes some minutes, once")
        })
    }

    /// Finds the guests as [`Installation::find`] does; `None` if there are none.
    pub(crate) fn look() -> Result<Option<Self>, Failure> {
        let cache = cache_dir()?;
        let failed = |error| Failure::host(chain(&error)).advise(CACHE_ADVICE);
        if let Some(bundle) = installed_in(&cache).map_err(failed)? {
            return Ok(Some(Self { bundle, cache }));
        }
        let Some(carried) = embedded() else {
            return Ok(None);
        };
        terminal::note(&format!(
            "unpacking the guests to `{}`; this happens once",
            cache.display()
        ));
        let bundle = carried.unpack(&cache).map_err(failed)?;
        Ok(Some(Self { bundle, cache }))
    }

    /// Wraps a bundle that was just built.
    pub(crate) fn of(bundle: Bundle, cache: PathBuf) -> Self {
        Self { bundle, cache }
    }

    /// Returns the installed bundle.
    pub(crate) fn bundle(&self) -> &Bundle {
        &self.bundle
    }

    /// Loads the guests, ready to run. Prints a note if they must first be compiled for this
    /// machine, because that takes seconds.
    pub(crate) fn guests(&self, metering: Metering) -> Result<Guests, Failure> {
        self.compiled(metering, |name| {
            terminal::note(&format!(
                "compiling the guest `{name}` for this machine; this happens once"
            ))
        })
    }

    /// Loads the guests, and compiles those that are not; reports each one before it is compiled.
    pub(crate) fn compiled(
        &self,
        metering: Metering,
        progress: impl FnMut(&str),
    ) -> Result<Guests, Failure> {
        let failed = |error: glovebox::Error| {
            Failure::host(chain(&error))
                .advise("`glovebox guests verify` says whether they are damaged")
        };
        let guests = Guests::load(&self.bundle, &self.cache).map_err(failed)?;
        guests.precompile(metering, progress).map_err(failed)?;
        Ok(guests)
    }
}

const CACHE_ADVICE: &str = "set `GLOVEBOX_CACHE` to a directory that only you can write to";

/// Returns the cache directory of guests and machine code, which no mount may open from then on.
pub(crate) fn cache_dir() -> Result<PathBuf, Failure> {
    let cache = default_cache_dir().ok_or_else(|| {
        Failure::host("there is no directory to keep guests in, because there is no home directory")
            .advise(CACHE_ADVICE)
    })?;
    own::protect(&cache);
    Ok(cache)
}
