//! Memory account: how much guest memory may all runs of a process hold together?
//!
//! A grant bounds one run; the account bounds all of them. It is charged before memory is
//! allocated, and everything is released when the instance is dropped.

use glovebox_policy::Subject;
use std::fmt;
use std::ops::RangeInclusive;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// The interval of attempts to charge the memory of a process.
const RETRY: Duration = Duration::from_millis(100);

/// A memory account shared by all runs of a process, by subject.
///
/// It is called from within runs, so it must not block.
pub trait MemoryAccount: fmt::Debug + Send + Sync {
    /// Charges bytes to a subject's run.
    ///
    /// # Errors
    ///
    /// The reason, with the setting and the numbers. The growth of the guest's memory then fails.
    fn try_grow(&self, subject: &Subject, bytes: u64) -> Result<(), String>;

    /// Releases bytes.
    fn shrink(&self, subject: &Subject, bytes: u64);

    /// Returns the bytes that a subject could be charged at the moment without any other memory
    /// being released for it. By default, it is not known, and [`MemoryAccount::try_grow`] decides.
    fn room(&self, _subject: &Subject) -> u64 {
        u64::MAX
    }
}

/// One run's side of the account; counts nothing if there is no account.
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
        let counted = |account| Counted {
            account: Arc::clone(account),
            subject: subject.clone(),
            refused: Mutex::default(),
        };
        Self(account.map(|account| Arc::new(counted(account))))
    }

    /// Returns an empty hold.
    pub(crate) fn hold(&self) -> MemoryHold {
        MemoryHold {
            run: self.clone(),
            bytes: 0,
        }
    }

    /// Charges the memory of a process: half of what there is, as other runs need the rest, within
    /// this range. Retries for that long until there is the least of it.
    pub(crate) async fn of_process(
        &self,
        range: RangeInclusive<u64>,
        patience: Duration,
    ) -> Result<ProcessMemory, String> {
        let (least, most, began) = (*range.start(), *range.end(), Instant::now());
        loop {
            let room = self
                .0
                .as_ref()
                .map_or(u64::MAX, |counted| counted.account.room(&counted.subject));
            let wanted = (room / 2).max(least).min(most);
            let mut held = self.hold();
            match held
                .grow(wanted)
                .map(|()| wanted)
                .or_else(|_| held.grow(least).map(|()| least))
            {
                Ok(bytes) => return Ok(ProcessMemory { bytes, _held: held }),
                Err(why) if began.elapsed().saturating_add(RETRY) >= patience => return Err(why),
                Err(_) => tokio::time::sleep(RETRY).await,
            }
        }
    }

    /// Takes the account's first refusal since the last call.
    pub(crate) fn take_refusal(&self) -> Option<String> {
        self.0
            .as_ref()?
            .refused
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take()
    }
}

/// Bytes charged to the account; released when dropped.
#[derive(Debug, Default)]
pub(crate) struct MemoryHold {
    run: RunMemory,
    bytes: u64,
}

/// The memory that a process may use, charged to the account until this is dropped.
#[derive(Debug)]
pub struct ProcessMemory {
    bytes: u64,
    _held: MemoryHold,
}

impl ProcessMemory {
    /// Returns the bytes that it may use.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.bytes
    }
}

/// A hold that the limiter of an instance and the owner of the instance share.
///
/// The engine drops the state of a store, and the limiter with it, before the memory. The owner's
/// clone, dropped last, keeps the bytes charged until the memory is discarded.
#[derive(Clone, Debug, Default)]
pub(crate) struct SharedHold(Arc<Mutex<MemoryHold>>);

impl SharedHold {
    pub(crate) fn new(held: MemoryHold) -> Self {
        Self(Arc::new(Mutex::new(held)))
    }

    pub(crate) fn grow(&self, bytes: u64) -> Result<(), String> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .grow(bytes)
    }
}

impl MemoryHold {
    pub(crate) fn grow(&mut self, bytes: u64) -> Result<(), String> {
        let Some(counted) = self.run.0.as_ref().filter(|_| bytes > 0) else {
            return Ok(());
        };
        counted
            .account
            .try_grow(&counted.subject, bytes)
            .inspect_err(|why| {
                counted
                    .refused
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .get_or_insert_with(|| why.clone());
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
