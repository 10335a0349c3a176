//! Command-line interface: which commands and options are there, and how does the help explain them?

mod help;

use clap::{Args, Parser, Subcommand, ValueEnum};
use glovebox_policy::units::{parse_duration, parse_size};
use std::path::PathBuf;
use std::time::Duration;

/// Runs code that nobody has vetted, and says exactly what it did.
#[derive(Debug, Parser)]
#[command(name = "glovebox", bin_name = "glovebox", version, after_help = help::OVERVIEW, max_term_width = 100)]
#[command(propagate_version = true, subcommand_required = true, arg_required_else_help = true)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
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
    /// Make and look at the guests: the interpreters that run inside the sandbox
    #[command(subcommand, after_help = help::GUESTS)]
    Guests(GuestsCommand),
    /// Make and list the images that containers start from
    #[command(subcommand, after_help = help::IMAGES)]
    Images(ImagesCommand),
    /// Find, fetch and list the packages that programs can import
    #[command(subcommand, after_help = help::PACKAGES)]
    Packages(PackagesCommand),
    /// Serve the sandbox to others over HTTP
    #[command(after_help = help::SERVE)]
    Serve(ServeArguments),
    /// Make, list and revoke the keys by which clients of a service are known
    #[command(subcommand, after_help = help::KEYS)]
    Keys(KeysCommand),
    /// Try out what this machine offers, tier by tier, and say what to do about the rest
    #[command(after_help = help::DOCTOR)]
    Doctor(DoctorArguments),
    /// Look at audit logs
    #[command(subcommand)]
    Audit(AuditCommand),
    /// Compile a WebAssembly program in a jailed process; a sandbox starts this, and its form may change with every version
    #[command(hide = true)]
    CompileModule {
        /// The settings, as the sandbox gives them
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

/// A program and what it wants; what a policy judges.
#[derive(Debug, Default, Args)]
pub(crate) struct RequestArguments {
    /// The program; `-` reads it from standard input, and so does leaving it out in a pipe
    #[arg(value_name = "FILE")]
    pub(crate) program: Option<PathBuf>,

    /// The program's language [default: by the file's extension, its `#!` line, or how it looks]
    #[arg(long, short, value_name = "NAME")]
    pub(crate) language: Option<String>,

    /// The policy that decides [default: the built-in one; see `glovebox policy show`]
    #[arg(long, value_name = "FILE", help_heading = "Policy")]
    pub(crate) policy: Option<PathBuf>,

    /// The tier to run in, and no other [default: the profile's first that can run it]
    #[arg(long, value_name = "NAME", help_heading = "Policy")]
    pub(crate) tier: Option<Tier>,

    /// A package that the program needs, such as `rich` or `requests==2.32.*`; may be repeated
    #[arg(long = "package", value_name = "PACKAGE", help_heading = "Packages")]
    pub(crate) packages: Vec<String>,

    /// Ask no index and fetch no package: use what was fetched before, or fail
    #[arg(long, help_heading = "Packages")]
    pub(crate) offline: bool,

    /// The profile of the policy to run under [default: the policy's own choice]
    #[arg(long, value_name = "NAME", help_heading = "Policy")]
    pub(crate) profile: Option<String>,

    /// Put a file into the workspace; `GUEST` is a path in it [default: the file's name]
    #[arg(long = "file", value_name = "HOST[=GUEST]", value_parser = input_file, help_heading = "Files")]
    pub(crate) files: Vec<InputFile>,

    /// Hand back the workspace's files that match a glob, into a folder of the host
    #[arg(long = "artifact", value_name = "GLOB=DIR", value_parser = artifact_rule, help_heading = "Files")]
    pub(crate) artifacts: Vec<ArtifactRule>,

    /// Set an environment variable of the program
    #[arg(long = "env", short, value_name = "NAME=VALUE", value_parser = variable)]
    pub(crate) environment: Vec<Variable>,

    /// Fix everything random, so that the same program does the same again
    #[arg(long, value_name = "NUMBER")]
    pub(crate) seed: Option<u64>,

    /// At most this much time on the clock, such as `5s` or `500ms`
    #[arg(long, value_name = "TIME", value_parser = parse_duration, help_heading = "Limits (never more than the policy grants)")]
    pub(crate) wall: Option<Duration>,

    /// At most this much memory, such as `256MiB`
    #[arg(long, value_name = "SIZE", value_parser = parse_size, help_heading = "Limits (never more than the policy grants)")]
    pub(crate) memory: Option<u64>,

    /// At most this much computation; a billion take 0.5 to 1 second
    #[arg(long, value_name = "NUMBER", value_parser = count, help_heading = "Limits (never more than the policy grants)")]
    pub(crate) fuel: Option<u64>,

    /// The program's own arguments
    #[arg(last = true, value_name = "ARGUMENT")]
    pub(crate) arguments: Vec<String>,
}

/// `glovebox run`.
#[derive(Debug, Args)]
pub(crate) struct RunArguments {
    #[command(flatten)]
    pub(crate) request: RequestArguments,

    /// Print one JSON object with everything that is known about the run, instead of the output
    #[arg(long)]
    pub(crate) json: bool,

    /// Append the decision and the end of the run to this log, each record chained to the one before
    #[arg(long, value_name = "FILE", help_heading = "Policy")]
    pub(crate) audit: Option<PathBuf>,

    /// How computation is counted
    #[arg(long, value_name = "HOW", default_value = "fuel", help_heading = "Limits (never more than the policy grants)")]
    pub(crate) metering: Metering,
}

/// `glovebox serve`.
#[derive(Debug, Args)]
pub(crate) struct ServeArguments {
    /// The address to listen on
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8300")]
    pub(crate) listen: std::net::SocketAddr,

    /// The folder for everything that is kept: records, keys, files, the audit log
    #[arg(long, value_name = "FOLDER")]
    pub(crate) state: PathBuf,

    /// The config of the service
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,

    /// Ask for no keys: whoever works on this machine may call. Only on a loopback address
    #[arg(long)]
    pub(crate) insecure_local: bool,

    /// Go on with an audit log that lacks the newest record which the database has seen; the gap is recorded
    #[arg(long)]
    pub(crate) accept_audit_gap: bool,

    /// Write the log as JSON, one object a line
    #[arg(long)]
    pub(crate) log_json: bool,
}

/// `glovebox keys ..`.
#[derive(Debug, Subcommand)]
pub(crate) enum KeysCommand {
    /// Make a key and print it; it cannot be shown again
    Create {
        /// Whom policies and records know the holder as: `key:` and this name
        name: String,
        /// What the key allows: `run`, `audit`; may be repeated
        #[arg(long = "scope", value_name = "SCOPE", default_value = "run")]
        scopes: Vec<String>,
        /// How long it is valid, such as `720h` [default: until it is revoked]
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
    /// Take a key out of use; a service that runs knows within two seconds
    Revoke {
        /// The number between `gbx_` and the next `_`
        id: String,
        #[command(flatten)]
        place: KeysPlace,
    },
}

/// Where a service keeps its keys.
#[derive(Debug, Args)]
pub(crate) struct KeysPlace {
    /// The state folder of the service
    #[arg(long, value_name = "FOLDER")]
    pub(crate) state: PathBuf,
    /// The config of the service, where it names a database
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
}

/// Where a program runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Tier {
    /// A WebAssembly guest inside this process
    Wasm,
    /// A container of an engine on this machine
    Container,
}

impl From<Tier> for glovebox_policy::Tier {
    fn from(tier: Tier) -> Self {
        match tier {
            Tier::Wasm => Self::Wasm,
            Tier::Container => Self::Container,
        }
    }
}

/// How computation is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Metering {
    /// Every instruction: the same program costs the same on every machine
    Fuel,
    /// By the clock only: faster on some programs
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

/// `glovebox policy ..`.
#[derive(Debug, Subcommand)]
pub(crate) enum PolicyCommand {
    /// Say everything that is wrong with policy files; ends with 1 if anything is
    Check {
        /// The policies
        #[arg(required = true, value_name = "FILE")]
        files: Vec<PathBuf>,
    },
    /// Say how a request would be decided, step by step, and run nothing; ends with 126 if it is denied
    #[command(after_help = help::EXPLAIN)]
    Explain(Box<RequestArguments>),
    /// Put tables of cases to a policy; ends with 1 if one is decided otherwise than the table says
    #[command(after_help = help::TEST)]
    Test {
        /// The tables
        #[arg(required = true, value_name = "FILE")]
        files: Vec<PathBuf>,
        /// The policy under test [default: the built-in one]
        #[arg(long, value_name = "FILE")]
        policy: Option<PathBuf>,
        /// Show the cases that passed, too
        #[arg(long, short)]
        verbose: bool,
    },
    /// Print a built-in profile, to read or to start from; without a name, list them
    Show {
        /// The profile
        #[arg(value_name = "PRESET")]
        preset: Option<String>,
    },
    /// Print the JSON Schema of policy files, for editors
    Schema,
}

/// `glovebox guests ..`.
#[derive(Debug, Subcommand)]
pub(crate) enum GuestsCommand {
    /// List the guests that are installed
    List,
    /// Make the guests and compile them for this machine; what was done before is not done again
    #[command(after_help = help::BUILD)]
    Build {
        /// Fail rather than fetch anything
        #[arg(long)]
        offline: bool,
        /// Make one guest alone, for somebody who works on it; it is not installed
        #[arg(long, value_name = "NAME")]
        only: Option<String>,
        /// Compile for this way of counting computation; may be repeated
        #[arg(long, value_name = "HOW", default_value = "fuel")]
        metering: Vec<Metering>,
    },
    /// Read every file of the guests and compare it with its digest; ends with 1 if one differs
    Verify,
    /// Print the directory in which the guests are installed, for scripts
    Path,
}

/// `glovebox images ..`.
#[derive(Debug, Subcommand)]
pub(crate) enum ImagesCommand {
    /// List the images that are there, with the digests by which a policy pins them
    List,
    /// Have the container engine make the images; without a registry to reach, their base is made by `mmdebstrap`, which needs root
    Build {
        /// Ask no registry: make the base out of the distribution's packages on this machine
        #[arg(long)]
        no_registry: bool,
        /// The languages: `shell`, `python`, `javascript` [default: all]
        #[arg(value_name = "LANGUAGE")]
        languages: Vec<String>,
    },
}

/// `glovebox packages ..`.
#[derive(Debug, Subcommand)]
pub(crate) enum PackagesCommand {
    /// Say which versions packages come to, and in which tier a program with them would run; fetches none of them
    Resolve(PackagesArguments),
    /// Fetch packages, so that programs find them ready, also without any network
    Prefetch(PackagesArguments),
    /// List the sets of packages that lie ready
    List,
    /// Remove everything that was fetched
    Clean,
}

/// Packages, and under which policy.
#[derive(Debug, Args)]
pub(crate) struct PackagesArguments {
    /// The packages, such as `rich` or `requests==2.32.*`
    #[arg(value_name = "PACKAGE", required_unless_present = "script")]
    pub(crate) packages: Vec<String>,

    /// The packages that a script asks for in its `# /// script` block
    #[arg(long = "for", value_name = "FILE")]
    pub(crate) script: Option<PathBuf>,

    /// Whose packages they are: `python` or `javascript`
    #[arg(long, short, value_name = "NAME", default_value = "python")]
    pub(crate) language: String,

    /// The policy that decides [default: the built-in one]
    #[arg(long, value_name = "FILE")]
    pub(crate) policy: Option<PathBuf>,

    /// The profile of the policy [default: the policy's own choice]
    #[arg(long, value_name = "NAME")]
    pub(crate) profile: Option<String>,

    /// The tier that they are for, and no other [default: the profile's first that can have them]
    #[arg(long, value_name = "NAME")]
    pub(crate) tier: Option<Tier>,

    /// Ask for newer versions although the last answer is less than a day old
    #[arg(long)]
    pub(crate) upgrade: bool,

    /// Print one JSON object instead of text
    #[arg(long)]
    pub(crate) json: bool,
}

/// `glovebox doctor`.
#[derive(Debug, Args)]
pub(crate) struct DoctorArguments {
    /// Print one JSON object instead of text
    #[arg(long)]
    pub(crate) json: bool,
}

/// `glovebox audit ..`.
#[derive(Debug, Subcommand)]
pub(crate) enum AuditCommand {
    /// Check the chain of a log, so that a record that was changed, moved or removed shows; ends with 1 if it is broken
    Verify {
        /// The log that `glovebox run --audit` wrote, or the state folder of a service, whose log may be in segments
        path: PathBuf,
        /// Take on trust that there were so many records before the oldest one that is there, because they were moved elsewhere or forgotten
        #[arg(long, value_name = "RECORDS", default_value_t = 0)]
        since: u64,
        /// The key that seals the records (`audit.key_file` of the service); without one, whoever can write the log could have made it anew
        #[arg(long, value_name = "FILE")]
        key_file: Option<PathBuf>,
        /// So many records at the beginning are from before there was a key
        #[arg(long, value_name = "RECORDS", default_value_t = 0, requires = "key_file")]
        unkeyed: u64,
        /// Demand a record that the log had before, as `RECORDS:HASH`: an earlier answer of this command, or a line of the service's log
        #[arg(long, value_name = "HEAD")]
        expect: Option<glovebox::AuditHead>,
    },
}

/// A file of the host and where the program finds it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct InputFile {
    pub(crate) host: PathBuf,
    pub(crate) guest: String,
}

/// Which files of the workspace go to which folder of the host.
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

/// Leaves out the value: it may be a secret.
impl std::fmt::Debug for Variable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Variable({})", self.name)
    }
}

fn input_file(text: &str) -> Result<InputFile, String> {
    // The last `=` parts: names in the workspace are the program's own and rarely have one.
    let (host, guest) = match text.rsplit_once('=') {
        Some((host, guest)) => (PathBuf::from(host), guest.to_owned()),
        None => {
            let host = PathBuf::from(text);
            let name = host.file_name().and_then(|name| name.to_str()).map(str::to_owned);
            (host, name.ok_or("the path has no file name to use in the workspace; write `HOST=GUEST`")?)
        }
    };
    if host.as_os_str().is_empty() || guest.is_empty() {
        return Err("write `HOST=GUEST`, such as `data/in.csv=in.csv`".to_owned());
    }
    Ok(InputFile { host, guest })
}

fn artifact_rule(text: &str) -> Result<ArtifactRule, String> {
    match text.rsplit_once('=') {
        Some((glob, folder)) if !glob.is_empty() && !folder.is_empty() => Ok(ArtifactRule { glob: glob.to_owned(), folder: folder.into() }),
        _ => Err("write `GLOB=DIR`, such as `'*.png=plots'`".to_owned()),
    }
}

fn variable(text: &str) -> Result<Variable, String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok(Variable { name: name.to_owned(), value: value.to_owned() }),
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
