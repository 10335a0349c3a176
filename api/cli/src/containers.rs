//! Container images on the command line: how are they built and listed?

use crate::cli::ImagesCommand;
use crate::compose::runtime;
use crate::exit::{Exit, Failure};
use crate::terminal;
use glovebox_fallback::{BuildError, ImageBase, build_images, list_images};
use glovebox_wire::error::chain;

/// Runs `glovebox images ..`.
pub(crate) fn images(command: &ImagesCommand) -> Result<Exit, Failure> {
    let failed = |error: BuildError| {
        Failure::host(chain(&error))
            .advise("`glovebox doctor` says what else may be missing for containers")
    };
    let runtime = runtime()?;
    match command {
        ImagesCommand::Build {
            languages,
            no_registry,
        } => {
            let base = if *no_registry {
                ImageBase::Packages
            } else {
                ImageBase::Any
            };
            runtime
                .block_on(build_images(languages, base, terminal::note))
                .map_err(failed)?;
            terminal::print("the images are ready")
        }
        ImagesCommand::List => {
            let found = runtime.block_on(list_images()).map_err(failed)?;
            let age = |is_current| {
                if is_current {
                    ""
                } else {
                    "  made by another version: build it again"
                }
            };
            let lines = found.iter().map(|image| {
                format!(
                    "{:<11} {:<24} {}{}",
                    image.language,
                    image.name,
                    image.digest,
                    age(image.is_current)
                )
            });
            match found.as_slice() {
                [] => terminal::print("there are none; `glovebox images build` makes them"),
                _ => terminal::print(&lines.collect::<Vec<_>>().join("\n")),
            }
        }
    }
}
