//! Guests: what runs inside the sandbox, and where are its files?
//!
//! Guests are made once (feature `build`, or a release that carries them) and lie as a [`Bundle`]
//! in a cache directory:
//!
//! ```no_run
//! if let Some(bundle) = glovebox_guests::installed()? {
//!     for guest in bundle.guests() {
//!         println!("{}: {}", guest.name, bundle.path(&guest.component).display());
//!     }
//! }
//! # Ok::<(), glovebox_guests::BundleError>(())
//! ```

mod embedded;
mod installation;
mod location;
mod manifest;

#[cfg(feature = "build")]
pub mod build;

/// The parts of the Python guest that make a program end as it does there, by their names: other
/// tiers run them too.
pub const PYTHON_EVALUATION: [(&str, &str); 6] = [
    ("own", include_str!("../python/glovebox_guest/own.py")),
    (
        "own_file",
        include_str!("../python/glovebox_guest/own_file.py"),
    ),
    ("value", include_str!("../python/glovebox_guest/value.py")),
    ("report", include_str!("../python/glovebox_guest/report.py")),
    (
        "results",
        include_str!("../python/glovebox_guest/results.py"),
    ),
    (
        "evaluation",
        include_str!("../python/glovebox_guest/evaluation.py"),
    ),
];

/// The Python modules whose package has another name, a line each: the module and the package.
pub const PROVIDERS: &str = include_str!("../python/glovebox_guest/providers.txt");

/// The part of the JavaScript guest that shows results: other tiers run it too.
pub const JAVASCRIPT_RESULTS: &str = include_str!("../javascript/prelude/results.js");

/// The parts of the JavaScript guest that decide how TypeScript becomes JavaScript, by their names:
/// other tiers run them too, with the scripts of the bundle ([`Guest::transform`] and
/// [`Guest::compiler`]).
pub const TYPESCRIPT_TRANSFORM: [(&str, &str); 2] = [
    (
        "transform",
        include_str!("../javascript/prelude/transform.js"),
    ),
    ("compiler", include_str!("../javascript/lazy/compiler.js")),
];

pub use embedded::{Embedded, embedded};
pub use installation::{Bundle, BundleError};
pub use location::{default_cache_dir, installed, installed_in, source_key};
pub use manifest::{Artefact, Guest, Language, Manifest, Tree};
