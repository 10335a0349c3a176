//! Embedded guests: which guests does this binary carry?

use crate::installation::{Bundle, BundleError, install, write_sparse};
use crate::location::{directory, installed_in};
use std::io::Read as _;
use std::path::Path;

include!(concat!(env!("OUT_DIR"), "/carried.rs"));

/// Largest file that is unpacked, in bytes; the content is our own, so this only stops a damaged
/// binary.
const FILE_LIMIT: u64 = 1 << 30;

/// The guests inside this binary.
#[derive(Clone, Copy, Debug)]
pub struct Embedded {
    /// Name and compressed content of each file.
    files: &'static [(&'static str, &'static [u8])],
}

/// The guests inside this binary, if it was built with some.
pub fn embedded() -> Option<Embedded> {
    (!CARRIED.is_empty()).then_some(Embedded { files: CARRIED })
}

impl Embedded {
    /// Writes the guests to a cache directory, unless they are there, and verifies what was
    /// written.
    ///
    /// # Errors
    ///
    /// Where the directory cannot be written or the binary is damaged.
    pub fn unpack(&self, cache: &Path) -> Result<Bundle, BundleError> {
        if let Some(bundle) = installed_in(cache)? {
            return Ok(bundle);
        }
        install(&directory(cache), |new| {
            for (name, packed) in self.files {
                let path = new.join(name);
                let mut content = Vec::new();
                ruzstd::decoding::StreamingDecoder::new(*packed)
                    .map_err(std::io::Error::other)
                    .and_then(|decoder| decoder.take(FILE_LIMIT).read_to_end(&mut content))
                    .and_then(|_| write_sparse(&path, &content))
                    .map_err(BundleError::io(&path))?;
            }
            Bundle::open(new)?.verify()
        })
    }
}
