//! Names and paths of a guest (pathname syntax): which are valid?

use wasmtime_wasi::p2::bindings::filesystem::types::ErrorCode;

/// Bytes in one path, like `PATH_MAX`. Protects the host's time and memory.
pub(super) const PATH_BYTES_MAX: usize = 4096;

/// Bytes in one name, like `NAME_MAX`.
pub(super) const NAME_BYTES_MAX: usize = 255;

/// Checks one name.
///
/// # Errors
/// `name-too-long`, or `invalid` for a zero byte.
pub(super) fn check_name(name: &str) -> Result<(), ErrorCode> {
    if name.len() > NAME_BYTES_MAX {
        return Err(ErrorCode::NameTooLong);
    }
    if name.contains('\0') {
        return Err(ErrorCode::Invalid);
    }
    Ok(())
}

/// Checks a path, or the target of a symlink.
///
/// # Errors
/// `not-permitted` for an absolute one, `no-entry` for an empty one, `name-too-long`, or `invalid`
/// for a zero byte.
pub(super) fn check_path(path: &str) -> Result<(), ErrorCode> {
    if path.is_empty() {
        return Err(ErrorCode::NoEntry);
    }
    if path.len() > PATH_BYTES_MAX {
        return Err(ErrorCode::NameTooLong);
    }
    if path.contains('\0') {
        return Err(ErrorCode::Invalid);
    }
    if path.starts_with('/') {
        return Err(ErrorCode::NotPermitted);
    }
    Ok(())
}
