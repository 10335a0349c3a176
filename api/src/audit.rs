//! Is an audit log still what was written?

use crate::cli::AuditCommand;
use crate::exit::{Exit, Failure};
use crate::files::{self, Kinds};
use crate::terminal;
use glovebox::{ChainError, verify_chain};
use glovebox_api::error::chain;

/// Does `glovebox audit ..`.
pub(crate) fn audit(command: &AuditCommand) -> Result<Exit, Failure> {
    let AuditCommand::Verify { file } = command;
    let log = files::open(file, "the audit log", Kinds::Readable)?;
    match verify_chain(log) {
        Ok(records) => terminal::print(&format!("{}: {records} records, the chain is whole", terminal::name(&file.display().to_string()))),
        Err(error @ ChainError::Unreadable(_)) => Err(Failure::usage(chain(&error))),
        Err(error) => {
            let advice = "the log was changed, cut in the middle or damaged; the records before that line are as they were written";
            terminal::complain(&chain(&error), Some(advice));
            Ok(Exit::UNMET)
        }
    }
}
