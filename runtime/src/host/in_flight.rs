//! In-flight memory budget (backpressure): how much of the host's memory do the responses of one
//! run's host calls take?
//!
//! A guest may start many calls and take no result. Their responses share one budget, which is
//! acquired while they are read: one that does not fit waits, and the server with it, until the
//! guest has taken others. To avoid a deadlock between responses that wait for each other, one of
//! them at a time may exceed the shared part.

use super::error::CallLimit;
use crate::account::{MemoryHold, RunMemory};
use glovebox_policy::Grant;
use std::sync::Arc;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// The least budget that responses share.
const LEAST: u64 = 8 << 20;

/// Bytes of one permit; charges are rounded up to it.
const UNIT: u64 = 16 << 10;

/// The charge of a response besides its body: its head.
const HEAD: u64 = 64 << 10;

/// The budget of one run.
#[derive(Debug)]
pub(crate) struct InFlight {
    shared: Arc<Semaphore>,
    /// Permits that are shared.
    permits: u64,
    /// The lock of the one response that may exceed the shared permits.
    last: Arc<Semaphore>,
    /// The largest charge of one response in bytes.
    most: u64,
    memory: RunMemory,
}

impl InFlight {
    pub(crate) fn new(grant: &Grant, memory: RunMemory) -> Arc<Self> {
        let response = grant.network().limits().response;
        let most = grant.limits().memory.max(LEAST);
        let shared = response.saturating_mul(2).max(LEAST).min(most);
        let permits = usize::try_from(shared / UNIT)
            .unwrap_or(usize::MAX)
            .min(Semaphore::MAX_PERMITS);
        Arc::new(Self {
            shared: Arc::new(Semaphore::new(permits)),
            permits: permits as u64,
            last: Arc::new(Semaphore::new(1)),
            most,
            memory,
        })
    }

    /// Returns the room of one response, with nothing charged yet.
    pub(crate) fn room(self: &Arc<Self>) -> Room {
        Room {
            budget: Arc::clone(self),
            shared: None,
            last: None,
            units: 0,
            held: self.memory.hold(),
        }
    }

    /// Returns the bytes that a body takes together with its encoding, while both exist.
    pub(crate) fn with_encoding(body: u64) -> u64 {
        body.saturating_add(body / 3 * 4).saturating_add(HEAD)
    }
}

/// The share of one response in the budget; released when dropped.
#[derive(Debug)]
pub(crate) struct Room {
    budget: Arc<InFlight>,
    shared: Option<OwnedSemaphorePermit>,
    last: Option<OwnedSemaphorePermit>,
    units: u64,
    held: MemoryHold,
}

impl Room {
    /// Waits until the response may hold this many bytes in all.
    pub(crate) async fn grow_to(&mut self, bytes: u64) -> Result<(), CallLimit> {
        let most = self.budget.most;
        if bytes > most {
            return Err(CallLimit::Memory { bytes, most });
        }
        let more = bytes.div_ceil(UNIT).saturating_sub(self.units);
        if more == 0 {
            return Ok(());
        }
        self.held
            .grow(more.saturating_mul(UNIT))
            .map_err(CallLimit::Account)?;
        self.units += more;
        if self.last.is_some() {
            return Ok(());
        }
        let permits = u32::try_from(more).unwrap_or(u32::MAX);
        let taken = match Arc::clone(&self.budget.shared).try_acquire_many_owned(permits) {
            Ok(taken) => Some(taken),
            Err(_) => tokio::select! {
                biased;
                // A response that is larger than the whole budget would only starve the others.
                taken = Arc::clone(&self.budget.shared).acquire_many_owned(permits), if self.units <= self.budget.permits => taken.ok(),
                last = Arc::clone(&self.budget.last).acquire_owned() => {
                    self.last = last.ok();
                    None
                }
            },
        };
        match (&mut self.shared, taken) {
            (Some(shared), Some(taken)) => shared.merge(taken),
            (none, Some(taken)) => *none = Some(taken),
            (_, None) => {}
        }
        Ok(())
    }

    /// Releases what the response does not need any more.
    pub(crate) fn shrink_to(&mut self, bytes: u64) {
        let less = self.units.saturating_sub(bytes.div_ceil(UNIT));
        self.held.shrink(less.saturating_mul(UNIT));
        self.units -= less;
        let own = usize::try_from(self.units).unwrap_or(usize::MAX);
        if let Some(shared) = &mut self.shared {
            let spare = shared.num_permits().saturating_sub(own);
            drop(shared.split(spare));
        }
        if own == 0 {
            self.last = None;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn budget(shared: usize, most: u64) -> Arc<InFlight> {
        Arc::new(InFlight {
            shared: Arc::new(Semaphore::new(shared)),
            permits: shared as u64,
            last: Arc::new(Semaphore::new(1)),
            most,
            memory: RunMemory::default(),
        })
    }

    #[tokio::test]
    async fn those_that_wait_for_one_another_come_to_an_end() {
        let budget = budget(4, 100 * UNIT);
        let answer = |bytes: u64| {
            let mut room = budget.room();
            async move {
                for at in 1..=bytes {
                    room.grow_to(at * UNIT).await.unwrap();
                    tokio::task::yield_now().await;
                }
                room
            }
        };
        // Together they exceed the shared permits, and each waits in the middle of its response.
        let mut answers: tokio::task::JoinSet<Room> = (0..8)
            .map(|_| tokio::spawn(answer(3)))
            .collect::<Vec<_>>()
            .into_iter()
            .fold(tokio::task::JoinSet::new(), |mut set, task| {
                set.spawn(async move { task.await.unwrap() });
                set
            });
        let mut ended = 0;
        while let Some(room) = answers.join_next().await {
            drop(room.unwrap());
            ended += 1;
        }
        assert_eq!(
            (
                ended,
                budget.shared.available_permits(),
                budget.last.available_permits()
            ),
            (8, 4, 1)
        );
    }

    #[tokio::test]
    async fn request_that_can_never_fit_fails_at_once_and_room_is_given_back() {
        let budget = budget(4, 8 * UNIT);
        let mut room = budget.room();
        assert!(
            room.grow_to(9 * UNIT)
                .await
                .unwrap_err()
                .to_string()
                .contains("limits.memory")
        );
        room.grow_to(8 * UNIT).await.unwrap();
        let mut other = budget.room();
        other.grow_to(4 * UNIT).await.unwrap();
        other.shrink_to(UNIT + 1);
        assert_eq!(budget.shared.available_permits(), 2);
        room.shrink_to(0);
        assert_eq!(budget.last.available_permits(), 1);
    }
}
