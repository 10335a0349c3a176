//! Command-line interface: which commands and options are there, and how does the help explain
//! them?

mod help;

use clap::builder::{PossibleValuesParser, StyledStr, TypedValueParser};
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Args, CommandFactory as _, Parser, Subcommand, ValueEnum};
use glovebox_policy::units::{parse_duration, parse_size};
use glovebox_policy::{Limit, Tier};
use std::path::PathBuf;
use std::time::Duration;

/// Runs untrusted programs in a sandbox, and reports exactly what they did.
#[derive(Debug, Parser)]
#[command(name = "glovebox", bin_name = "glovebox", version, after_help = help::OVERVIEW, max_term_width = 100)]
#[command(
    propagate_version = true,
    subcommand_required = true,
    arg_required_else_help = true
)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

impl Cli {
    /// Parses the command line of this process; ends the process if it is invalid, or asks for
    /// help.
    pub(crate) fn read() -> Self {
        Self::try_parse().unwrap_or_else(|error| name_limits(error).exit())
    }
}

/// Adds to the error of an unknown option that is named like a limit which limits have options.
fn name_limits(mut error: clap::Error) -> clap::Error {
    let unknown = match error.get(ContextKind::InvalidArg) {
        Some(ContextValue::String(unknown)) if error.kind() == ErrorKind::UnknownArgument => {
            unknown.trim_start_matches('-').replace('-', "_")
        }
        _ => return error,
    };
    let is_limit = |name: &str| Limit::ALL.iter().any(|limit| limit.name() == name);
    // `files` is a limit, and is meant as `--file`.
    let is_close = error.get(ContextKind::SuggestedArg).is_some();
    if is_close || !(is_limit(&unknown) || unknown.starts_with("limit")) {
        return error;
    }
    let command = Cli::command();
    let options: Vec<String> = command
        .find_subcommand("run")
        .into_iter()
        .flat_map(|run| run.get_arguments())
        .filter_map(|argument| argument.get_long())
        .filter(|long| is_limit(long))
        .map(|long| format!("`--{long}`"))
        .collect();
    let tip = format!(
        "`glovebox run` has the limits {}; a policy sets the others",
        options.join(", ")
    );
    let mut tips = match error.remove(ContextKind::Suggested) {
        Some(ContextValue::StyledStrs(tips)) => tips,
        _ => Vec::new(),
    };
    tips.insert(0, StyledStr::from(tip));
    error.insert(ContextKind::Suggested, ContextValue::StyledStrs(tips));
    error
}

/// The commands.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run a program in the sandbox
    #[command(after_help = help::RUN, after_long_help = help::RUN_LONG)]
    Run(Box<RunArguments>),
    /// Check, explain and test policies
    #[command(subcommand, after_help = help::POLICY)]
    Policy(PolicyCommand),
    /// Build, list and verify the guests: the interpreters that run inside the sandbox
    #[command(subcommand, after_help = help::GUESTS)]
    Guests(GuestsCommand),
    /// Build and list the images that containers start from
    #[command(subcommand, after_help = help::IMAGES)]
    Images(ImagesCommand),
    /// Resolve, fetch and list the packages that programs can import
    #[command(subcommand, after_help = help::PACKAGES)]
    Packages(PackagesCommand),
    /// Serve the sandbox to clients over HTTP
    #[command(after_help = help::SERVE)]
    Serve(ServeArguments),
    /// Create, list and revoke the API keys of a service's clients
    #[command(subcommand, after_help = help::KEYS)]
    Keys(KeysCommand),
    /// Test what this machine offers, tier by tier, and say how to fix the rest
    #[command(after_help = help::DOCTOR)]
    Doctor(DoctorArguments),
    /// Verify audit logs
    #[command(subcommand, after_help = help::AUDIT)]
    Audit(AuditCommand),
    /// Compile a WebAssembly program in a jailed process; the sandbox starts this, and its
    /// arguments may change with every version
    #[command(hide = true)]
    CompileModule {
        /// The settings, as the sandbox passes them
        #[arg(allow_hyphen_values = true)]
        settings: Vec<String>,
    },
    /// Print a completion script for a shell
    #[command(after_help = help::COMPLETIONS)]
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
}

/// The program of a request and its options; what a policy judges.
#[derive(Debug, Default, Args)]
pub(crate) struct RequestArguments {
    /// The program; `-` reads it from standard input, and so does omitting it when input is piped
    #[arg(value_name = "FILE")]
    pub(crate) program: Option<PathBuf>,

    /// The program's language [default: by the file's extension, its `#!` line, or its text]
    #[arg(long, short, value_name = "NAME")]
    pub(crate) language: Option<String>,

    /// The policy that decides [default: the built-in one; see `glovebox policy show`]
    #[arg(long, value_name = "FILE", help_heading = "Policy")]
    pub(crate) policy: Option<PathBuf>,

    /// The tier to run in, and no other [default: the profile's first that can run it]
    #[arg(long, value_name = "NAME", value_parser = tier(), help_heading = "Policy")]
    pub(crate) tier: Option<Tier>,

    /// A package that the program needs, such as `rich` or `requests==2.32.*`; may be repeated
    #[arg(long = "package", value_name = "PACKAGE", help_heading = "Packages")]
    pub(crate) packages: Vec<String>,

    /// Query no index and download no package: use the cache, or fail
    #[arg(long, help_heading = "Packages")]
    pub(crate) offline: bool,

    /// The profile of the policy to run under [default: the policy's own choice]
    #[arg(long, value_name = "NAME", help_heading = "Policy")]
    pub(crate) profile: Option<String>,

    /// Put a file into the workspace; `GUEST` is its path there [default: the file's name]
    #[arg(long = "file", value_name = "HOST[=GUEST]", value_parser = input_file, help_heading = "Files")]
    pub(crate) files: Vec<InputFile>,

    /// Save the workspace's files that match a glob to a directory of the host
    #[arg(long = "artifact", value_name = "GLOB=DIR", value_parser = artifact_rule, help_heading = "Files")]
    pub(crate) artifacts: Vec<ArtifactRule>,

    /// Save the results that the program shows (pictures, HTML, JSON) to a directory of the host
    #[arg(long, value_name = "DIR", help_heading = "Files")]
    pub(crate) results: Option<PathBuf>,

    /// Set an environment variable of the program
    #[arg(long = "env", short, value_name = "NAME=VALUE", value_parser = variable)]
    pub(crate) environment: Vec<Variable>,

    /// Seed all randomness, so that runs of the same program are reproducible
    #[arg(long, value_name = "NUMBER")]
    pub(crate) seed: Option<u64>,

    /// Limit wall-clock time, such as `5s` or `500ms`
    #[arg(long, value_name = "TIME", value_parser = parse_duration, help_heading = "Limits (never more than the policy grants)")]
    pub(crate) wall: Option<Duration>,

    /// Limit memory, such as `256MiB`
    #[arg(long, value_name = "SIZE", value_parser = parse_size, help_heading = "Limits (never more than the policy grants)")]
    pub(crate) memory: Option<u64>,

    /// Limit fuel; a billion units take 0.5 to 1 second
    #[arg(long, value_name = "NUMBER", value_parser = count, help_heading = "Limits (never more than the policy grants)")]
    pub(crate) fuel: Option<u64>,

    /// The program's own arguments
    #[arg(last = true, value_name = "ARGUMENT")]
    pub(crate) arguments: Vec<String>,
}

/// Arguments of `glovebox run`.
#[derive(Debug, Args)]
pub(crate) struct RunArguments {
    #[command(flatten)]
    pub(crate) request: RequestArguments,

    /// Print one JSON object with everything that is known about the run, instead of its output
    #[arg(long)]
    pub(crate) json: bool,

    /// Append the decision and the end of the run to this audit log, as a hash chain
    #[arg(long, value_name = "FILE", help_heading = "Policy")]
    pub(crate) audit: Option<PathBuf>,

    /// The way in which computation is metered
    #[arg(
        long,
        value_name = "HOW",
        default_value = "fuel",
        help_heading = "Limits (never more than the policy grants)"
    )]
    pub(crate) metering: Metering,
}

/// Arguments of `glovebox serve`.
#[derive(Debug, Args)]
pub(crate) struct ServeArguments {
    /// The address to listen on
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8300")]
    pub(crate) listen: std::net::SocketAddr,

    /// The state folder: records, keys, artifacts, the audit log
    #[arg(long, value_name = "FOLDER")]
    pub(crate) state: PathBuf,

    /// The configuration file of the service
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,

    /// Accept requests without a key from every user of this machine; only on a loopback address
    #[arg(long)]
    pub(crate) insecure_local: bool,

    /// Start although the audit log lacks the newest record that the database has seen; the gap is
    /// recorded
    #[arg(long)]
    pub(crate) accept_audit_gap: bool,

    /// Write the log as JSON, one object per line
    #[arg(long)]
    pub(crate) log_json: bool,
}

/// Commands of `glovebox keys ..`.
#[derive(Debug, Subcommand)]
pub(crate) enum KeysCommand {
    /// Create a key and print it; it cannot be shown again
    Create {
        /// The name of the key's subject in policies and records, which put `key:` before it
        name: String,
        /// The scopes of the key: `run`, `audit`; may be repeated
        #[arg(long = "scope", value_name = "SCOPE", default_value = "run")]
        scopes: Vec<String>,
        /// The lifetime of the key, such as `720h` [default: until it is revoked]
        #[arg(long, value_name = "TIME", value_parser = parse_duration)]
        expires: Option<Duration>,
        #[command(flatten)]
        place: KeysPlace,
    },
    /// List the keys, without their secrets
    List {
        #[command(flatten)]
        place: KeysPlace,
    },
    /// Revoke a key; a running service stops accepting it within two seconds
    Revoke {
        /// The key's id, between `gbx_` and the next `_`
        id: String,
        #[command(flatten)]
        place: KeysPlace,
    },
}

/// The location of a service's keys.
#[derive(Debug, Args)]
pub(crate) struct KeysPlace {
    /// The state folder of the service
    #[arg(long, value_name = "FOLDER")]
    pub(crate) state: PathBuf,
    /// The configuration file of the service, if it names a database
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
}

/// The way in which computation is metered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Metering {
    /// Count every instruction: the same program costs the same on every machine
    Fuel,
    /// Interrupt by wall-clock time only: faster for some programs
    Epoch,
}

impl From<Metering> for glovebox::Metering {
    fn from(metering: Metering) -> Self {
        match metering {
            Metering::Fuel => Self::Fuel,
            Metering::Epoch => Self::Epoch,
        }
    }
}

/// Commands of `glovebox policy ..`.
#[derive(Debug, Subcommand)]
pub(crate) enum PolicyCommand {
    /// Report every error in policy files; exits with 1 if there is any
    #[command(after_help = help::CHECK)]
    Check {
        /// The policy files
        #[arg(required = true, value_name = "FILE")]
        files: Vec<PathBuf>,
    },
    /// Explain how a request would be decided, step by step, and run nothing; exits with 126 if it
    /// is denied
    #[command(after_help = help::EXPLAIN)]
    Explain(Box<RequestArguments>),
    /// Run tables of test cases against a policy; exits with 1 if a decision differs from its table
    #[command(after_help = help::TEST)]
    Test {
        /// The tables of cases
        #[arg(required = true, value_name = "FILE")]
        files: Vec<PathBuf>,
        /// The policy under test [default: the built-in one]
        #[arg(long, value_name = "FILE")]
        policy: Option<PathBuf>,
        /// Also show the cases that passed
        #[arg(long, short)]
        verbose: bool,
    },
    /// Print a built-in profile, to read or as a starting point; without a name, list them
    Show {
        /// The name of the profile
        #[arg(value_name = "PRESET")]
        preset: Option<String>,
    },
    /// Print the JSON Schema of policy files, for editors
    Schema,
}

/// Commands of `glovebox guests ..`.
#[derive(Debug, Subcommand)]
pub(crate) enum GuestsCommand {
    /// List the installed guests
    List,
    /// Build the guests and compile them for this machine; steps that are up to date are skipped
    #[command(after_help = help::BUILD)]
    Build {
        /// Fail instead of downloading anything
        #[arg(long)]
        offline: bool,
        /// Build one guest only, for work on that guest; it is not installed
        #[arg(long, value_name = "NAME")]
        only: Option<String>,
        /// Compile for this way of metering; may be repeated
        #[arg(long, value_name = "HOW", default_value = "fuel")]
        metering: Vec<Metering>,
    },
    /// Verify the digest of every file of the guests; exits with 1 if one differs
    Verify,
    /// Print the directory in which the guests are installed, for scripts
    Path,
}

/// Commands of `glovebox images ..`.
#[derive(Debug, Subcommand)]
pub(crate) enum ImagesCommand {
    /// List the images, with the digests by which a policy pins them
    List,
    /// Build the images with the container engine; without a registry, `mmdebstrap` makes their
    /// base, which needs root
    Build {
        /// Use no registry: make the base from the distribution's packages on this machine
        #[arg(long)]
        no_registry: bool,
        /// The languages: `shell`, `python`, `javascript`, `typescript` [default: all]
        #[arg(value_name = "LANGUAGE")]
        languages: Vec<String>,
    },
}

/// Commands of `glovebox packages ..`.
#[derive(Debug, Subcommand)]
pub(crate) enum PackagesCommand {
    /// Resolve packages to exact versions, and report the tier in which a program with them would
    /// run; downloads no package
    #[command(after_help = help::RESOLVE)]
    Resolve(PackagesArguments),
    /// Fetch packages into the cache, so that programs can import them offline
    Prefetch(PackagesArguments),
    /// List the cached package sets
    List,
    /// Remove everything from the package cache
    Clean,
}

/// Packages to resolve, and the policy that applies.
#[derive(Debug, Args)]
pub(crate) struct PackagesArguments {
    /// The packages, such as `rich` or `requests==2.32.*`
    #[arg(value_name = "PACKAGE", required_unless_present = "script")]
    pub(crate) packages: Vec<String>,

    /// A script whose `# /// script` block lists the packages
    #[arg(long = "for", value_name = "FILE")]
    pub(crate) script: Option<PathBuf>,

    /// The language of the packages: `python` or `javascript`
    #[arg(long, short, value_name = "NAME", default_value = "python")]
    pub(crate) language: String,

    /// The policy that decides [default: the built-in one]
    #[arg(long, value_name = "FILE")]
    pub(crate) policy: Option<PathBuf>,

    /// The profile of the policy [default: the policy's own choice]
    #[arg(long, value_name = "NAME")]
    pub(crate) profile: Option<String>,

    /// The tier to resolve for, and no other [default: the profile's first that can have them]
    #[arg(long, value_name = "NAME", value_parser = tier())]
    pub(crate) tier: Option<Tier>,

    /// Look for newer versions even if the cached resolution is less than a day old
    #[arg(long)]
    pub(crate) upgrade: bool,

    /// Print one JSON object instead of text
    #[arg(long)]
    pub(crate) json: bool,
}

/// Arguments of `glovebox doctor`.
#[derive(Debug, Args)]
pub(crate) struct DoctorArguments {
    /// Print one JSON object instead of text
    #[arg(long)]
    pub(crate) json: bool,
}

/// Commands of `glovebox audit ..`.
#[derive(Debug, Subcommand)]
pub(crate) enum AuditCommand {
    /// Verify the hash chain of a log, which shows whether a record was changed, moved or removed;
    /// exits with 1 if it is broken
    Verify {
        /// The log that `glovebox run --audit` wrote, or the state folder of a service, whose log
        /// may have several segments
        path: PathBuf,
        /// Trust that this many records preceded the oldest one, because they were moved elsewhere
        /// or deleted by retention
        #[arg(long, value_name = "RECORDS", default_value_t = 0)]
        since: u64,
        /// The key that seals the records (`audit.key_file` of the service); without one, anyone
        /// who can write the log could have forged it
        #[arg(long, value_name = "FILE")]
        key_file: Option<PathBuf>,
        /// The number of records at the beginning that are older than the key
        #[arg(
            long,
            value_name = "RECORDS",
            default_value_t = 0,
            requires = "key_file"
        )]
        unkeyed: u64,
        /// Require an earlier head of the log, as `RECORDS:HASH`: an earlier result of this
        /// command, or a line of the service's log
        #[arg(long, value_name = "HEAD")]
        expect: Option<glovebox::AuditHead>,
    },
}

/// A file of the host and its path in the workspace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct InputFile {
    pub(crate) host: PathBuf,
    pub(crate) guest: String,
}

/// A glob over the workspace and the directory of the host to which matching files are saved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ArtifactRule {
    pub(crate) glob: String,
    pub(crate) folder: PathBuf,
}

/// An environment variable.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Variable {
    pub(crate) name: String,
    pub(crate) value: String,
}

/// Omits the value: it may be a secret.
impl std::fmt::Debug for Variable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Variable({})", self.name)
    }
}

/// Parses the name of a tier.
fn tier() -> impl TypedValueParser<Value = Tier> {
    PossibleValuesParser::new(Tier::ALL.map(Tier::name))
        .try_map(|name| Tier::from_name(&name).ok_or("there is no such tier"))
}

fn input_file(text: &str) -> Result<InputFile, String> {
    // Split at the last `=`: paths in the workspace are the program's own and rarely contain one.
    let (host, guest) = match text.rsplit_once('=') {
        Some((host, guest)) => (PathBuf::from(host), guest.to_owned()),
        None => {
            let host = PathBuf::from(text);
            let name = host
                .file_name()
                .and_then(|name| name.to_str())
                .map(str::to_owned);
            (
                host,
                name.ok_or(
                    "the path has no file name to use in the workspace; write `HOST=GUEST`",
                )?,
            )
        }
    };
    if host.as_os_str().is_empty() || guest.is_empty() {
        return Err("write `HOST=GUEST`, such as `data/in.csv=in.csv`".to_owned());
    }
    Ok(InputFile { host, guest })
}

fn artifact_rule(text: &str) -> Result<ArtifactRule, String> {
    match text.rsplit_once('=') {
        Some((glob, folder)) if !glob.is_empty() && !folder.is_empty() => Ok(ArtifactRule {
            glob: glob.to_owned(),
            folder: folder.into(),
        }),
        _ => Err("write `GLOB=DIR`, such as `'*.png=plots'`".to_owned()),
    }
}

fn variable(text: &str) -> Result<Variable, String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok(Variable {
            name: name.to_owned(),
            value: value.to_owned(),
        }),
        _ => Err("write `NAME=VALUE`; nothing is taken over from your own environment".to_owned()),
    }
}

fn count(text: &str) -> Result<u64, String> {
    let digits = text.replace('_', "");
    match digits.parse::<u64>() {
        Ok(0) => Err("must be more than zero (zero never means unlimited)".to_owned()),
        Ok(number) => Ok(number),
        Err(_) => Err("write a whole number, such as `1_000_000_000`".to_owned()),
    }
}

#[cfg(test)]
mod tests;
