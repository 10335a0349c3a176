//! Package job: for which subject does blocking work run, and when is it cancelled?
//!
//! Blocking work goes on in its thread when the request that caused it is gone. So it owns its
//! limits: the slot, which is released only when the work has ended and its directory is removed;
//! the ledger of its subject, which is charged as bytes are received and written, whatever becomes
//! of them; and the cancellation flag.

use crate::disk::{Need, has_many};
use crate::ledger::Ledger;
use crate::store::{Store, Work};
use glovebox::{Error, Slot};
use glovebox_policy::Subject;
use std::io::{self, Read, Seek, SeekFrom};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// Bytes that are written between two checks of the free disk space, as a power of two. All
/// concurrent jobs write at most that much each between two checks, which is far less than the
/// reserve of the disk.
const DISK_CHECK_SHIFT: u32 = 24;

/// Files and directories whose removal takes no noticeable time.
const SMALL_FOLDER: usize = 1000;

/// Work for a subject, with its working directory.
pub(crate) struct Job {
    stop: AtomicBool,
    written: AtomicU64,
    ledger: Arc<Ledger>,
    subject: Subject,
    pub(crate) store: Arc<Store>,
    pub(crate) work: Work,
    // Fields are dropped in this order: the directory is removed before the slot is released.
    _slot: Slot,
}

impl Job {
    /// Fails if the job was cancelled.
    pub(crate) fn go_on(&self) -> io::Result<()> {
        if self.stop.load(Ordering::Relaxed) {
            Err(io::Error::other("the request was cancelled"))
        } else {
            Ok(())
        }
    }

    /// Charges bytes that are received or written; fails if the job was cancelled, the subject is
    /// over its rate limit or the disk is full.
    pub(crate) fn spend(&self, bytes: u64) -> io::Result<()> {
        self.go_on()?;
        self.ledger.charge(&self.subject, bytes).map_err(other)?;
        let before = self.written.fetch_add(bytes, Ordering::Relaxed);
        if before >> DISK_CHECK_SHIFT != before.saturating_add(bytes) >> DISK_CHECK_SHIFT {
            self.store
                .make_disk(Need::default(), &|| self.go_on())
                .map_err(other)?;
        }
        Ok(())
    }

    /// Runs blocking work on a blocking thread.
    pub(crate) async fn blocking<T: Send + 'static>(
        self: &Arc<Self>,
        work: impl FnOnce(&Self) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let job = Arc::clone(self);
        let done = tokio::task::spawn_blocking(move || {
            job.go_on()
                .map_err(|error| Error::packages(error.to_string()))?;
            work(&job)
        });
        done.await
            .map_err(|error| Error::packages(error.to_string()))?
    }

    /// Evicts the least recently used packages until there is room for this much.
    pub(crate) async fn make_room(self: &Arc<Self>, need: Need) -> Result<(), Error> {
        self.blocking(move |job| job.store.make_room(need, &|| job.go_on()))
            .await
    }
}

fn other(error: Error) -> io::Error {
    match error {
        Error::Packages(what) => io::Error::other(what),
        error => io::Error::other(error.to_string()),
    }
}

/// The handle of a job's waiter: when it is dropped, the job is cancelled.
pub(crate) struct Waiting(Option<Arc<Job>>);

impl Waiting {
    /// Begins a job, which holds this slot.
    pub(crate) fn begin(
        store: &Arc<Store>,
        ledger: &Arc<Ledger>,
        subject: &Subject,
        slot: Slot,
    ) -> Result<(Self, Arc<Job>), Error> {
        let job = Arc::new(Job {
            stop: AtomicBool::new(false),
            written: AtomicU64::new(0),
            ledger: Arc::clone(ledger),
            subject: subject.clone(),
            store: Arc::clone(store),
            work: store.work()?,
            _slot: slot,
        });
        Ok((Self(Some(Arc::clone(&job))), job))
    }

    /// Waits until the job has removed its directory.
    pub(crate) async fn end(mut self, job: Arc<Job>) {
        drop(job);
        if let Some(job) = self.0.take() {
            let _ = tokio::task::spawn_blocking(move || drop(job)).await;
        }
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        let Some(job) = self.0.take() else { return };
        job.stop.store(true, Ordering::Relaxed);
        // Removing a large directory takes a while, and this may be an async worker thread. A small
        // one is removed at once: this process may be about to exit.
        if Arc::strong_count(&job) == 1 && !has_many(&job.work.directory, SMALL_FOLDER) {
            return;
        }
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn_blocking(move || drop(job));
        }
    }
}

/// An archive reader that fails after cancellation, even while content is skipped or unpacks to
/// nothing.
pub(crate) struct Watched<'a, R> {
    content: R,
    go_on: &'a dyn Fn() -> io::Result<()>,
}

impl<'a, R> Watched<'a, R> {
    pub(crate) fn new(content: R, go_on: &'a dyn Fn() -> io::Result<()>) -> Self {
        Self { content, go_on }
    }
}

impl<R: Read> Read for Watched<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        (self.go_on)()?;
        self.content.read(buffer)
    }
}

impl<R: Seek> Seek for Watched<'_, R> {
    fn seek(&mut self, position: SeekFrom) -> io::Result<u64> {
        self.content.seek(position)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::Share;
    use crate::store::Bounds;
    use glovebox::FairSlots;
    use glovebox_policy::Policy;
    use std::time::Duration;

    /// Tests that a cancelled job releases its slot when it has ended and is removed, and that this
    /// is soon.
    #[tokio::test]
    async fn cancelled_work_ends_and_holds_its_slot_until_then() {
        let place = tempfile::tempdir().unwrap();
        let store = Arc::new(
            Store::open(
                place.path(),
                Bounds {
                    quota: Some(1 << 30),
                    reserve: 0,
                },
            )
            .unwrap(),
        );
        let share = Share {
            steps: 9,
            bytes: 1 << 40,
        };
        let ledger = Arc::new(Ledger::new(share, Policy::builtin()));
        let (subject, slots) = (Subject::new("a").unwrap(), FairSlots::new(1));
        let slot = slots.acquire(&subject).await;
        let (waiting, job) = Waiting::begin(&store, &ledger, &subject, slot).unwrap();
        let (began, begun) = tokio::sync::oneshot::channel();
        let (go, gone) = std::sync::mpsc::channel::<()>();
        let work = tokio::spawn({
            let job = Arc::clone(&job);
            async move {
                job.blocking(move |job| {
                    began.send(()).unwrap();
                    let stopped = loop {
                        if let Err(stopped) = job.spend(1) {
                            break stopped;
                        }
                        std::thread::yield_now();
                    };
                    // Work that takes its time to end.
                    let _ = gone.recv();
                    Err::<(), _>(Error::packages(stopped.to_string()))
                })
                .await
            }
        });
        begun.await.unwrap();
        drop(job);
        drop(waiting);
        let another = slots.acquire(&subject);
        tokio::pin!(another);
        assert!(
            tokio::time::timeout(Duration::from_millis(50), &mut another)
                .await
                .is_err(),
            "it still works"
        );
        assert_eq!(
            std::fs::read_dir(place.path().join("work"))
                .unwrap()
                .count(),
            1
        );
        drop(go);
        assert!(
            work.await
                .unwrap()
                .unwrap_err()
                .to_string()
                .contains("was cancelled")
        );
        let _slot = another.await;
        assert_eq!(
            std::fs::read_dir(place.path().join("work"))
                .unwrap()
                .count(),
            0
        );
    }

    #[tokio::test]
    async fn work_ends_at_the_rate_limit_and_cancelled_archives_are_not_read() {
        let place = tempfile::tempdir().unwrap();
        let store = Arc::new(
            Store::open(
                place.path(),
                Bounds {
                    quota: Some(1 << 30),
                    reserve: 0,
                },
            )
            .unwrap(),
        );
        let share = Share {
            steps: 9,
            bytes: 1000,
        };
        let ledger = Arc::new(Ledger::new(share, Policy::builtin()));
        let subject = Subject::new("a").unwrap();
        let slot = FairSlots::new(1).acquire(&subject).await;
        let (waiting, job) = Waiting::begin(&store, &ledger, &subject, slot).unwrap();
        job.spend(1000).unwrap();
        assert!(job.spend(1).unwrap_err().to_string().contains("may cause"));
        assert!(ledger.begin(&subject).is_err());
        let go_on = || job.go_on();
        let mut archive = Watched::new(io::Cursor::new([1; 9]), &go_on);
        archive.read_exact(&mut [0; 4]).unwrap();
        job.stop.store(true, Ordering::Relaxed);
        assert!(archive.read(&mut [0; 1]).is_err());
        waiting.end(job).await;
        assert_eq!(
            std::fs::read_dir(place.path().join("work"))
                .unwrap()
                .count(),
            0
        );
    }
}
