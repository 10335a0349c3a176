//! How does the build run a tool, and what does it say when the tool fails?

use anyhow::{Context as _, Result, bail};
use std::process::{Command, Stdio};

/// Lines of a failed tool's own words that are passed on.
const WORDS: usize = 25;

/// Runs a tool to its end and gives its standard output. `advice` says how to get a tool that is missing.
///
/// # Errors
///
/// Where it cannot be started or fails; the message has its last words.
pub(super) fn run(command: &mut Command, advice: &str) -> Result<String> {
    let name = command.get_program().to_string_lossy().into_owned();
    let output = command.stdin(Stdio::null()).output().with_context(|| format!("cannot run `{name}`; {advice}"))?;
    let out = String::from_utf8_lossy(&output.stdout).into_owned();
    if output.status.success() {
        return Ok(out);
    }
    let error = String::from_utf8_lossy(&output.stderr);
    let words: Vec<&str> = out.lines().chain(error.lines()).filter(|line| !line.trim().is_empty()).collect();
    let last = words.get(words.len().saturating_sub(WORDS)..).unwrap_or_default().join("\n");
    bail!("`{name}` failed ({}):\n{last}", output.status)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_tool_comes_with_advice_and_a_failed_one_with_its_words() {
        let missing = run(&mut Command::new("no-such-tool-here"), "install it").unwrap_err().to_string();
        assert_eq!(missing, "cannot run `no-such-tool-here`; install it");
        let failed = run(Command::new("sh").args(["-c", "echo because >&2; exit 3"]), "").unwrap_err().to_string();
        assert_eq!(failed, "`sh` failed (exit status: 3):\nbecause");
    }
}
