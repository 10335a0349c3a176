//! Language transform: with what does a container turn a language into that of its interpreter?
//!
//! With the script of the installed guests, so that a language is the same in every tier. It runs
//! in the container, beside the program.

use glovebox_guests::installed;
use std::io::Read as _;

/// Maximum bytes of the script; protects this process's memory from a damaged installation.
const MAX_SCRIPT: u64 = 8 << 20;

/// Reads the script for a language; the error is the reason why there is none.
pub(crate) fn read(language: &str) -> Result<Vec<u8>, String> {
    let missing = || {
        format!(
            "containers run `{language}` with the transform of the guests, and there is none: `glovebox guests build` makes them"
        )
    };
    let bundle = installed()
        .map_err(|error| error.to_string())?
        .ok_or_else(missing)?;
    let guest = bundle.guest_for_language(language);
    let script = guest
        .and_then(|(guest, _)| guest.transform.as_ref())
        .ok_or_else(missing)?;
    let file = bundle.file(script).map_err(|error| error.to_string())?;
    let mut text = Vec::new();
    let place = bundle.path(script);
    file.take(MAX_SCRIPT + 1)
        .read_to_end(&mut text)
        .map_err(|error| format!("cannot read `{}`: {error}", place.display()))?;
    if text.len() as u64 > MAX_SCRIPT {
        return Err(format!(
            "`{}` has more than {MAX_SCRIPT} bytes",
            place.display()
        ));
    }
    Ok(text)
}
