//! How are the images made that containers start from?

use crate::cli::ImagesCommand;
use crate::exit::{Exit, Failure, chain};
use crate::run::runtime;
use crate::terminal;

/// Does `glovebox images ..`.
pub(crate) fn images(command: &ImagesCommand) -> Result<Exit, Failure> {
    let ImagesCommand::Build { languages } = command;
    let runtime = runtime()?;
    let built = runtime.block_on(glovebox_fallback::build_images(languages, terminal::note));
    built.map_err(|error| Failure::host(chain(&error)).advise("`glovebox doctor` says what else may be missing for containers"))?;
    terminal::print("the images are ready")
}
