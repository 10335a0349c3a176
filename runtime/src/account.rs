//! Who else needs the memory that guests take?
//!
//! A grant bounds what one run may take; an account bounds what all of them take together. It is asked before memory is there, and is given
//! everything back when the instance is dropped.

use glovebox_policy::Subject;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

/// An account of the memory that all runs of a process take together, by subject.
///
/// It is asked from within runs, so it must not wait.
pub trait MemoryAccount: fmt::Debug + Send + Sync {
    /// Takes bytes for a subject's run.
    ///
    /// # Errors
    ///
    /// Why there are none, with the setting and the numbers. The growth of the guest's memory then fails.
    fn try_grow(&self, subject: &Subject, bytes: u64) -> Result<(), String>;

    /// Gives bytes back.
    fn shrink(&self, subject: &Subject, bytes: u64);
}

/// One run's side of the account; nothing is counted where there is none.
#[derive(Clone, Debug, Default)]
pub(crate) struct RunMemory(Option<Arc<Counted>>);

#[derive(Debug)]
struct Counted {
    account: Arc<dyn MemoryAccount>,
    subject: Subject,
    refused: Mutex<Option<String>>,
}

impl RunMemory {
    pub(crate) fn new(account: Option<&Arc<dyn MemoryAccount>>, subject: &Subject) -> Self {
        let counted = |account| Counted { account: Arc::clone(account), subject: subject.clone(), refused: Mutex::default() };
        Self(account.map(|account| Arc::new(counted(account))))
    }

    /// Nothing yet.
    pub(crate) fn hold(&self) -> MemoryHold {
        MemoryHold { run: self.clone(), bytes: 0 }
    }

    /// Why the account refused, the first time since the last call.
    pub(crate) fn take_refusal(&self) -> Option<String> {
        self.0.as_ref()?.refused.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// Bytes that were taken from the account; given back when dropped.
#[derive(Debug, Default)]
pub(crate) struct MemoryHold {
    run: RunMemory,
    bytes: u64,
}

impl MemoryHold {
    pub(crate) fn grow(&mut self, bytes: u64) -> Result<(), String> {
        let Some(counted) = self.run.0.as_ref().filter(|_| bytes > 0) else { return Ok(()) };
        counted.account.try_grow(&counted.subject, bytes).inspect_err(|why| {
            counted.refused.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert_with(|| why.clone());
        })?;
        self.bytes = self.bytes.saturating_add(bytes);
        Ok(())
    }

    pub(crate) fn shrink(&mut self, bytes: u64) {
        let bytes = bytes.min(self.bytes);
        if let Some(counted) = self.run.0.as_ref().filter(|_| bytes > 0) {
            counted.account.shrink(&counted.subject, bytes);
            self.bytes -= bytes;
        }
    }
}

impl Drop for MemoryHold {
    fn drop(&mut self) {
        self.shrink(u64::MAX);
    }
}
