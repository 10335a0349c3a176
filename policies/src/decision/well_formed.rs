//! Validation of a request: is it well formed, and within its size limits?

use std::collections::BTreeSet;

use super::check::{CheckInput, GrantDraft, Log};
use crate::denial::Denial;
use crate::limits::{Amount, LimitField};
use crate::text::quoted;

/// The maximum length of a path in bytes, and of one segment, as in file systems (`PATH_MAX`,
/// `NAME_MAX`).
const MAX_FILE_PATH: usize = 4096;
const MAX_SEGMENT: usize = 255;

/// The maximum nesting of directories.
const MAX_PATH_DEPTH: usize = 64;

/// The maximum length of a source's name in bytes.
const MAX_SOURCE_NAME: usize = 255;

pub(super) fn source(
    input: &CheckInput<'_>,
    draft: &mut GrantDraft,
    log: &mut Log,
) -> Result<(), Denial> {
    let source = &input.request.source;
    if source.name.is_empty()
        || source.name.len() > MAX_SOURCE_NAME
        || source.name.chars().any(char::is_control)
    {
        let reason =
            format!("a source's name has 1 to {MAX_SOURCE_NAME} bytes and no control characters");
        return Err(Denial::invalid_request(
            "request.source.name",
            format!("source {}", quoted(&source.name)),
            reason,
        ));
    }
    fits(input, draft, log, "source", source.content.len())
}

pub(super) fn arguments(
    input: &CheckInput<'_>,
    draft: &mut GrantDraft,
    log: &mut Log,
) -> Result<(), Denial> {
    let request = input.request;
    if let Some(argument) = request
        .arguments
        .iter()
        .find(|argument| argument.contains('\0'))
    {
        return Err(Denial::invalid_request(
            "request.arguments",
            format!("argument {}", quoted(argument)),
            "it holds a zero byte",
        ));
    }
    // One byte more for each string, as the guest stores them NUL-terminated, so that many empty
    // ones count as well.
    let arguments: usize = request
        .arguments
        .iter()
        .map(|argument| argument.len() + 1)
        .sum();
    let environment: usize = request
        .environment
        .iter()
        .map(|(name, value)| name.len() + value.len() + 2)
        .sum();
    if arguments + environment == 0 {
        return Ok(());
    }
    fits(input, draft, log, "arguments", arguments + environment)
}

pub(super) fn files(
    input: &CheckInput<'_>,
    draft: &mut GrantDraft,
    log: &mut Log,
) -> Result<(), Denial> {
    let files = &input.request.files;
    if files.is_empty() {
        return Ok(());
    }
    // Before validating each: the number may itself be the attack.
    fits(input, draft, log, "files", files.len())?;
    fits(
        input,
        draft,
        log,
        "workspace",
        files.iter().map(|file| file.content.len()).sum(),
    )?;
    let mut paths = BTreeSet::new();
    let mut directories = BTreeSet::new();
    for file in files {
        let invalid_request = |reason: &str| {
            Denial::invalid_request(
                "request.files",
                format!("file {}", quoted(&file.path)),
                reason,
            )
        };
        check_path(&file.path).map_err(invalid_request)?;
        if !paths.insert(file.path.as_str()) {
            return Err(invalid_request("the same path comes twice"));
        }
        // From the inside out: the parents of a directory that is known are known too.
        for directory in file
            .path
            .rmatch_indices('/')
            .filter_map(|(end, _)| file.path.get(..end))
        {
            if !directories.insert(directory) {
                break;
            }
        }
        if (paths.len() + directories.len()) as u64 > draft.limits.files {
            fits(input, draft, log, "files", paths.len() + directories.len())?;
        }
    }
    if let Some(both) = directories
        .iter()
        .find(|directory| paths.contains(*directory))
    {
        return Err(Denial::invalid_request(
            "request.files",
            format!("file {}", quoted(both)),
            "another file uses it as a directory",
        ));
    }
    if !directories.is_empty() {
        fits(input, draft, log, "files", paths.len() + directories.len())?;
    }
    Ok(())
}

pub(super) fn artifacts(
    input: &CheckInput<'_>,
    _: &mut GrantDraft,
    _: &mut Log,
) -> Result<(), Denial> {
    for glob in &input.request.artifacts {
        check_path(glob.trim_end_matches('/')).map_err(|reason| {
            Denial::invalid_request(
                "request.artifacts",
                format!("artifact glob {}", quoted(glob)),
                reason,
            )
        })?;
    }
    Ok(())
}

/// Validates a canonical relative path inside the workspace.
fn check_path(path: &str) -> Result<(), &'static str> {
    if path.is_empty() || path.len() > MAX_FILE_PATH {
        return Err("a path has 1 to 4096 bytes");
    }
    if path.starts_with('/') {
        return Err("a path is relative to the workspace");
    }
    if path.chars().any(char::is_control) {
        return Err("a path has no control characters");
    }
    let mut depth = 0;
    for segment in path.split('/') {
        depth += 1;
        match segment {
            "" | "." | ".." => return Err("a path has no empty, `.` or `..` segment"),
            long if long.len() > MAX_SEGMENT => {
                return Err("a segment of a path has at most 255 bytes");
            }
            _ => {}
        }
    }
    if depth > MAX_PATH_DEPTH {
        Err("a path has at most 64 segments")
    } else {
        Ok(())
    }
}

/// Checks an amount against a limit of the draft, to which the request's own wishes were applied.
fn fits(
    input: &CheckInput<'_>,
    draft: &GrantDraft,
    log: &mut Log,
    limit: &'static str,
    used: usize,
) -> Result<(), Denial> {
    let used = u64::try_from(used).unwrap_or(u64::MAX);
    let key = &input.profile.key;
    let Some(field) = LimitField::of_name(limit) else {
        return Err(Denial::invalid_request(
            limit,
            "a limit",
            "there is no such limit",
        ));
    };
    let granted = (field.granted)(&draft.limits);
    let used = match granted {
        Amount::Bytes(_) => Amount::Bytes(used),
        _ => Amount::Count(used),
    };
    let asked = || format!("{} of `{limit}`", used);
    if used <= granted {
        log.allowed(key.rule(&format!("limits.{limit}")), asked, || {
            format!("at most {granted}")
        });
        return Ok(());
    }
    let by_request = granted < (field.granted)(&input.profile.limits);
    if by_request {
        let reason = format!("the request itself wants at most {granted}");
        return Err(Denial::invalid_request(
            &format!("request.wants.limits.{limit}"),
            asked(),
            reason,
        ));
    }
    let reason = format!("profile `{}` grants at most {granted}", key.name);
    Err(Denial::new(
        key.rule(&format!("limits.{limit}")),
        asked(),
        reason,
        key.fix("limits", &[(limit, used.to_toml())]),
    ))
}
