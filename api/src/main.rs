//! Command-line program `glovebox`: which module runs which command?
//!
//! In reading order: [`cli`] defines the arguments, [`request`] makes a request of them, [`run`] runs it, `glovebox_api::wire` and [`exit`]
//! report the outcome. Each of the other modules is one command.

mod audit;
mod cli;
mod containers;
mod doctor;
mod exit;
mod files;
mod guests;
mod installation;
mod packages;
mod policy;
mod request;
mod run;
mod serve;
mod terminal;

use clap::{CommandFactory as _, Parser as _};
use cli::{Cli, Command};
use exit::{Exit, Failure};
use std::process::ExitCode;

/// Suits many short runs on several threads.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let result = match Cli::parse().command {
        Command::Run(arguments) => run::run(&arguments),
        Command::Policy(command) => policy::policy(&command),
        Command::Guests(command) => guests::guests(&command),
        Command::Images(command) => containers::images(&command),
        Command::Packages(command) => packages::packages(&command),
        Command::Serve(arguments) => serve::serve(&arguments),
        Command::Keys(command) => serve::keys(&command),
        Command::Doctor(arguments) => doctor::doctor(&arguments),
        Command::Audit(command) => audit::audit(&command),
        Command::CompileModule { settings } => return glovebox::compile_module(&settings),
        Command::Completions { shell } => completions(shell),
    };
    match result {
        Ok(exit) => exit.into(),
        Err(failure) => failure.report().into(),
    }
}

fn completions(shell: clap_complete::Shell) -> Result<Exit, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "glovebox", &mut script);
    terminal::print_bytes(&script)
}
