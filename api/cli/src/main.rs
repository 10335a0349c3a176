//! Command-line program `glovebox`: which module runs which command?
//!
//! In reading order: [`cli`] defines the arguments, [`request`] makes a request of them,
//! [`compose`] puts the sandbox together, [`run`] runs the request, `glovebox_wire` and [`exit`]
//! report the outcome. Each of the other modules is one command; features decide which ones are
//! built.

mod advice;
#[cfg(feature = "serve")]
mod audit;
mod cli;
mod compose;
#[cfg(feature = "containers")]
mod containers;
mod doctor;
mod exit;
mod files;
mod guests;
#[cfg(feature = "serve")]
mod heap;
mod installation;
#[cfg(feature = "packages")]
mod packages;
mod policy;
mod request;
mod run;
mod runtime;
#[cfg(feature = "serve")]
mod serve;
mod terminal;

use clap::CommandFactory as _;
use cli::{Cli, Command};
use exit::{Exit, Failure};
use std::process::ExitCode;

/// Suits many short runs on several threads.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let result = match Cli::read().command {
        Command::Run(arguments) => run::run(&arguments),
        Command::Policy(command) => policy::policy(&command),
        Command::Guests(command) => guests::guests(&command),
        Command::Doctor(arguments) => doctor::doctor(&arguments),
        Command::CompileModule { settings } => return glovebox::compile_module(&settings),
        Command::Completions { shell } => completions(shell),
        command => optional(&command),
    };
    match result {
        Ok(exit) => exit.into(),
        Err(failure) => failure.report().into(),
    }
}

/// Runs a command that a feature brings.
fn optional(command: &Command) -> Result<Exit, Failure> {
    let missing = match command {
        #[cfg(feature = "containers")]
        Command::Images(command) => return containers::images(command),
        #[cfg(feature = "packages")]
        Command::Packages(command) => return packages::packages(command),
        #[cfg(feature = "serve")]
        Command::Serve(arguments) => return serve::serve(arguments),
        #[cfg(feature = "serve")]
        Command::Keys(command) => return serve::keys(command),
        #[cfg(feature = "serve")]
        Command::Audit(command) => return audit::audit(command),
        #[cfg(not(feature = "containers"))]
        Command::Images(_) => "containers",
        #[cfg(not(feature = "packages"))]
        Command::Packages(_) => "packages",
        _ => "serve",
    };
    Err(
        Failure::usage(format!("this `glovebox` was built without `{missing}`")).advise(format!(
            "`cargo install --path api/cli --features {missing}` builds it with that command"
        )),
    )
}

fn completions(shell: clap_complete::Shell) -> Result<Exit, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "glovebox", &mut script);
    terminal::print_bytes(&script)
}
