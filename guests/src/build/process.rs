//! Tool processes: how does the build run a tool, and how is its failure reported?

use anyhow::{Context as _, Result, bail};
use glovebox_host::program::Start;

/// Lines of a failed tool's own words that are passed on.
const WORDS: usize = 25;

/// Runs a tool to its end and gives its standard output. `advice` says how to get a tool that is
/// missing.
///
/// # Errors
///
/// Where it cannot be started or fails; the message has its last words.
pub(super) fn run(start: &Start, advice: &str) -> Result<String> {
    let name = start.program().display();
    let output = start
        .command()
        .output()
        .with_context(|| format!("cannot run `{name}`; {advice}"))?;
    let out = String::from_utf8_lossy(&output.stdout).into_owned();
    if output.status.success() {
        return Ok(out);
    }
    let error = String::from_utf8_lossy(&output.stderr);
    let words: Vec<&str> = out
        .lines()
        .chain(error.lines())
        .filter(|line| !line.trim().is_empty())
        .collect();
    let last = words
        .get(words.len().saturating_sub(WORDS)..)
        .unwrap_or_default()
        .join("\n");
    bail!("`{name}` failed ({}):\n{last}", output.status)
}

#[cfg(test)]
mod tests {
    use super::*;
    use glovebox_host::program::Program;

    #[test]
    fn a_missing_tool_comes_with_advice_and_a_failed_one_with_its_words() {
        let missing = run(
            &Program::absolute("/no/such/tool").unwrap().start(),
            "install it",
        )
        .unwrap_err()
        .to_string();
        assert_eq!(missing, "cannot run `/no/such/tool`; install it");
        let failed = run(
            Program::absolute("/bin/sh")
                .unwrap()
                .start()
                .args(["-c", "echo because >&2; exit 3"]),
            "",
        );
        assert_eq!(
            failed.unwrap_err().to_string(),
            "`/bin/sh` failed (exit status: 3):\nbecause"
        );
    }
}
