//! Policies on the command line: how are they read, checked, explained and tested?

use crate::advice::Asked;
use crate::cli::{PolicyCommand, RequestArguments};
use crate::compose::{Composition, ContainerTier, PackageSource};
use crate::exit::{Exit, Failure};
use crate::files;
use crate::installation::Installation;
use crate::request;
use crate::runtime::runtime;
use crate::terminal::{self, Paint, Place, lines, name};
use glovebox_policy::cases::run_cases;
use glovebox_policy::{
    ConfigError, Explanation, Facts, Grant, MAX_TEXT, Policy, Problem, StepResult, Verdict,
};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Maximum characters of a policy line that an excerpt shows.
const EXCERPT: usize = 100;

/// Names of the built-in profiles, each with what it is for.
const PRESETS: [(&str, &str); 5] = [
    (
        "default",
        "one person at one machine: offline, with room for everyday scripts",
    ),
    ("offline", "nothing but the program's own workspace"),
    (
        "agent",
        "an assistant that works in a session: longer and larger, still offline",
    ),
    (
        "judge",
        "programming contests: the same answer for the same program",
    ),
    ("deny-all", "nothing; what every other profile starts from"),
];

/// Runs `glovebox policy ..`.
pub(crate) fn policy(command: &PolicyCommand) -> Result<Exit, Failure> {
    match command {
        PolicyCommand::Check { files } => check(files),
        PolicyCommand::Explain(arguments) => explain(arguments),
        PolicyCommand::Test {
            files,
            policy,
            verbose,
        } => test(files, policy.as_deref(), *verbose),
        PolicyCommand::Show { preset } => show(preset.as_deref()),
        PolicyCommand::Schema => terminal::print(Policy::schema().trim_end()),
    }
}

/// Loads the policy from a file, or the built-in one.
pub(crate) fn load(path: Option<&Path>) -> Result<Policy, Failure> {
    let Some(path) = path else {
        return Ok(Policy::builtin());
    };
    let text = files::read_text(path, "the policy", MAX_TEXT as u64)?;
    Policy::parse(&path.display().to_string(), &text).map_err(|error| {
        let advice = "nothing runs under a policy that is wrong anywhere; `glovebox policy schema` helps editors to find it";
        Failure::usage(format!("invalid policy\n{}", problems(&error, &text))).advise(advice)
    })
}

/// Returns a whole policy file in which these lines of a profile are in force.
pub(crate) fn policy_file(fix: &str) -> String {
    let profile = fix
        .trim_start_matches('[')
        .strip_prefix("profiles.")
        .and_then(|rest| rest.split([']', '.']).next());
    let default = profile
        .map(|profile| format!("default_profile = \"{}\"\n", profile.trim_matches('"')))
        .unwrap_or_default();
    format!("version = 1\n{default}\n{fix}")
}

fn check(files: &[PathBuf]) -> Result<Exit, Failure> {
    let mut exit = Exit::SUCCESS;
    for path in files {
        let shown = name(&path.display().to_string());
        let text = files::read_text(path, "the policy", MAX_TEXT as u64)?;
        match Policy::parse(&path.display().to_string(), &text) {
            Ok(policy) => {
                let profiles: Vec<&str> = policy.profiles().collect();
                let ok = Place::Out.paint(Paint::Good, "ok");
                terminal::print(&format!(
                    "{shown}: {ok}, profiles {}, digest {}",
                    profiles.join(", "),
                    policy.digest()
                ))?;
            }
            Err(error) => {
                terminal::print(&lines(&problems(&error, &text)))?;
                exit = Exit::UNMET;
            }
        }
    }
    Ok(exit)
}

/// Formats every problem with its position.
fn problems(error: &ConfigError, text: &str) -> String {
    error
        .problems
        .iter()
        .map(|problem| problem_in(text, problem))
        .collect::<Vec<_>>()
        .join("\n")
        .trim_end()
        .to_owned()
}

/// Formats a problem of a text with its position, and the line that has it.
pub(crate) fn problem_in(text: &str, problem: &Problem) -> String {
    format!("{problem}\n{}", excerpt(problem, text))
}

/// Returns the line of a problem, and a marker below the position.
fn excerpt(problem: &Problem, text: &str) -> String {
    let Some(line) = text.lines().nth(problem.line.saturating_sub(1)) else {
        return String::new();
    };
    let first = problem.column.saturating_sub(1 + EXCERPT / 2);
    // One character is one column here, whatever its width, so that the marker stands in the right
    // place.
    let shown: String = line
        .chars()
        .skip(first)
        .take(EXCERPT)
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    let number = problem.line.to_string();
    let blank = " ".repeat(number.len());
    format!(
        "{blank} |\n{number} | {}\n{blank} | {}^",
        shown.trim_end(),
        " ".repeat(problem.column.saturating_sub(1 + first))
    )
}

fn explain(arguments: &RequestArguments) -> Result<Exit, Failure> {
    let policy = load(arguments.policy.as_deref())?;
    let installation = Installation::look()?;
    let bundle = installation.as_ref().map(Installation::bundle);
    let prepared = request::prepare(arguments, bundle)?;
    let asked = Asked::from(&prepared.request);
    let (mut explanation, facts) = match &installation {
        Some(installation) => {
            let runtime = runtime()?;
            let composition = Composition {
                containers: ContainerTier::Lazy,
                packages: PackageSource::from(arguments),
                ..Composition::new(installation, policy.clone())
            };
            let sandbox = composition.build(&runtime)?;
            let explained = runtime.block_on(sandbox.explain(prepared.request));
            runtime.shutdown_background();
            let explained = explained.map_err(|error| Failure::from(&error))?;
            (explained, sandbox.facts())
        }
        None => {
            let facts = Facts::wasm(request::spoken(bundle));
            let explained = policy.explain(&prepared.request, &facts);
            (explained, Arc::new(facts))
        }
    };
    advise(&mut explanation, &asked, &policy, &facts);
    let mut text = lines(&explanation.to_string());
    let exit = match &explanation.verdict {
        Verdict::Admit(grant) => {
            text.push_str("\n\n");
            text.push_str(&summary(grant));
            Exit::SUCCESS
        }
        Verdict::Deny(_) => Exit::DENIED,
    };
    terminal::print(text.trim_end())?;
    Ok(exit)
}

/// Adds what would help to denials that no line of the policy would change.
fn advise(explanation: &mut Explanation, asked: &Asked, policy: &Policy, facts: &Facts) {
    for step in &mut explanation.steps {
        if let StepResult::Denied(denial) = &mut step.result
            && let Some(advice) = asked.advice(denial, policy, facts)
        {
            let comments: Vec<String> = advice.lines().map(|line| format!("# {line}")).collect();
            denial.fix = comments.join("\n");
        }
    }
}

/// Summarizes what a grant allows a program.
fn summary(grant: &Grant) -> String {
    let mut text = Place::Out.paint(Paint::Heading, "the program may");
    // Writing to a string cannot fail.
    let mut line = |title: &str, what: &str| {
        let _ = write!(text, "\n  {title:<12} {}", name(what));
    };
    line(
        "run as",
        &format!(
            "`{}` under profile `{}`, in tier `{}`: {}",
            grant.language(),
            grant.profile(),
            grant.tier(),
            grant.tier_reason()
        ),
    );
    for (limit, amount) in grant.limits().entries() {
        line(limit, &format!("{amount}"));
    }
    let mounts: Vec<String> = grant
        .mounts()
        .iter()
        .map(|mount| {
            format!(
                "{} as {} ({})",
                mount.host,
                mount.guest,
                if mount.writable {
                    "writable"
                } else {
                    "read-only"
                }
            )
        })
        .collect();
    line("mounts", &listed(&mounts));
    // Values may be secrets.
    let variables: Vec<String> = grant
        .environment()
        .iter()
        .map(|(name, _)| name.clone())
        .collect();
    line("variables", &listed(&variables));
    line(
        "network",
        if grant.network().is_empty() {
            "nothing"
        } else {
            "what `network.allow` of the profile says"
        },
    );
    line(
        "tools",
        if grant.has_no_tools() {
            "nothing"
        } else {
            "what `tools.allow` of the profile says"
        },
    );
    let resolved = grant
        .resolved_packages()
        .iter()
        .map(|package| format!("{} {}", package.name, package.version));
    let packages: Vec<String> = match grant.resolved_packages() {
        [] => grant.packages().iter().map(ToString::to_string).collect(),
        _ => resolved.collect(),
    };
    line("packages", &listed(&packages));
    line(
        "seed",
        &grant.seed().map_or_else(
            || "none: real randomness".to_owned(),
            |seed| seed.to_string(),
        ),
    );
    line("policy", &format!("digest {}", grant.policy_digest()));
    text
}

fn listed(items: &[String]) -> String {
    if items.is_empty() {
        "nothing".to_owned()
    } else {
        items.join(", ")
    }
}

fn test(files: &[PathBuf], policy: Option<&Path>, verbose: bool) -> Result<Exit, Failure> {
    let policy = load(policy)?;
    let (mut passed, mut failed) = (0_usize, 0_usize);
    for path in files {
        let shown = name(&path.display().to_string());
        let text = files::read_text(path, "the table of cases", MAX_TEXT as u64)?;
        let reports = run_cases(&path.display().to_string(), &text, &policy).map_err(|error| {
            Failure::usage(format!(
                "invalid table of cases\n{}",
                problems(&error, &text)
            ))
            .advise("`glovebox help policy test` shows how a table looks")
        })?;
        for report in reports {
            let word = if report.passed() {
                passed += 1;
                Place::Out.paint(Paint::Good, "ok")
            } else {
                failed += 1;
                Place::Out.paint(Paint::Bad, "FAILED")
            };
            if verbose || !report.passed() {
                let failures: String = report
                    .failures
                    .iter()
                    .map(|failure| format!("\n  {}", lines(failure)))
                    .collect();
                terminal::print(&format!(
                    "{word} {shown}:{}: {}{failures}",
                    report.line,
                    name(&report.name)
                ))?;
            }
        }
    }
    terminal::print(&format!("{passed} passed, {failed} failed"))?;
    Ok(if failed == 0 {
        Exit::SUCCESS
    } else {
        Exit::UNMET
    })
}

fn show(preset: Option<&str>) -> Result<Exit, Failure> {
    let Some(preset) = preset else {
        let rows: Vec<String> = PRESETS
            .iter()
            .map(|(preset, what)| format!("{preset:<10} {what}"))
            .collect();
        return terminal::print(&rows.join("\n"));
    };
    match Policy::preset_text(preset) {
        Some(text) => terminal::print(text.trim_end()),
        None => {
            let known: Vec<&str> = PRESETS.iter().map(|(preset, _)| *preset).collect();
            Err(
                Failure::usage(format!("there is no built-in profile `{}`", name(preset)))
                    .advise(format!("the built-in profiles are {}", known.join(", "))),
            )
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_is_shown_where_it_is() {
        let text = "version = 1\n\n[profiles.x]\nextends = \"offline\"\nlimts = 3\n";
        let error = Policy::parse("p.toml", text).unwrap_err();
        let shown = problems(&error, text);
        assert!(shown.contains("p.toml:5:1: "), "{shown}");
        assert!(shown.contains("\n5 | limts = 3\n  | ^"), "{shown}");
    }

    #[test]
    fn a_place_far_into_a_line_is_still_seen() {
        let text = format!("version = 1\nx = {} y = 2", "\t".repeat(500));
        let problem = Problem {
            origin: "p".into(),
            line: 2,
            column: 506,
            message: "m".into(),
            suggestion: None,
        };
        let shown = excerpt(&problem, &text);
        let rows: Vec<&str> = shown.lines().collect();
        assert_eq!(rows[1].chars().nth(rows[2].len() - 1), Some('y'), "{shown}");
    }

    #[test]
    fn every_built_in_profile_is_shown() {
        for (preset, _) in PRESETS {
            assert!(Policy::preset_text(preset).is_some(), "{preset}");
        }
        assert_eq!(Policy::builtin().profiles().count(), PRESETS.len());
    }

    #[test]
    fn the_file_that_a_refusal_suggests_is_a_policy_that_allows_it() {
        let mut greedy = glovebox::Request::new("python", "1");
        greedy.wants.limits.memory = Some(8 << 30);
        let facts = Facts::wasm(["python"]);
        let Verdict::Deny(denial) = Policy::builtin().admit(&greedy, &facts) else {
            panic!("8 GiB were granted")
        };
        let text = policy_file(&denial.fix);
        let policy = Policy::parse("fix", &text).unwrap_or_else(|error| panic!("{error}\n{text}"));
        assert!(policy.admit(&greedy, &facts).is_admit(), "{text}");
    }
}
