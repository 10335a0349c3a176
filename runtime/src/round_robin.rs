//! Round-robin scheduler between subjects: which waiter gets the next slot?
//!
//! [`RoundRobin`] is the queue: round-robin between the subjects, and FIFO within one.
//! [`FairSlots`] is a semaphore whose waiters queue in that way, and of which no subject holds so
//! many that none is left for another.

use glovebox_policy::Subject;
use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::oneshot;

/// A queue by subject: round-robin between the subjects, and FIFO within one.
#[derive(Debug)]
pub struct RoundRobin<T> {
    queues: HashMap<Subject, VecDeque<T>>,
    /// The waiting subjects, the next one first.
    order: VecDeque<Subject>,
}

impl<T> Default for RoundRobin<T> {
    fn default() -> Self {
        Self {
            queues: HashMap::new(),
            order: VecDeque::new(),
        }
    }
}

impl<T> RoundRobin<T> {
    /// Adds an item at the end of its subject's queue.
    pub fn push(&mut self, subject: &Subject, item: T) {
        match self.queues.get_mut(subject) {
            Some(queue) => queue.push_back(item),
            None => {
                self.queues.insert(subject.clone(), VecDeque::from([item]));
                self.order.push_back(subject.clone());
            }
        }
    }

    /// Returns the items of a subject, in their order.
    pub fn of(&self, subject: &Subject) -> impl Iterator<Item = &T> {
        self.queues.get(subject).into_iter().flatten()
    }

    /// Returns the waiting subjects, in their order.
    pub fn subjects(&self) -> impl Iterator<Item = &Subject> {
        self.order.iter()
    }

    /// Takes the first item of the first subject for which `may` holds. The next turn of that
    /// subject comes after those of all others.
    pub fn pop_of(&mut self, may: impl Fn(&Subject) -> bool) -> Option<(Subject, T)> {
        let at = self.order.iter().position(may)?;
        let subject = self.order.remove(at)?;
        let queue = self.queues.get_mut(&subject)?;
        let item = queue.pop_front();
        if queue.is_empty() {
            self.queues.remove(&subject);
        } else {
            self.order.push_back(subject.clone());
        }
        item.map(|item| (subject, item))
    }

    /// Removes the items of a subject for which `is_it` holds.
    pub fn remove(&mut self, subject: &Subject, is_it: impl Fn(&T) -> bool) {
        let Some(queue) = self.queues.get_mut(subject) else {
            return;
        };
        queue.retain(|item| !is_it(item));
        if queue.is_empty() {
            self.queues.remove(subject);
            self.order.retain(|other| other != subject);
        }
    }
}

/// A semaphore that is fair between subjects. Cheap to clone.
#[derive(Clone, Debug)]
pub struct FairSlots(Arc<SharedSlots>);

#[derive(Debug)]
struct SharedSlots {
    /// The most slots of one subject.
    of_subject: usize,
    state: Mutex<SlotState>,
}

#[derive(Debug, Default)]
struct SlotState {
    free: usize,
    held: HashMap<Subject, usize>,
    turns: RoundRobin<Waiter>,
    next_ticket: u64,
}

#[derive(Debug)]
struct Waiter {
    ticket: u64,
    slot: oneshot::Sender<Slot>,
}

/// A slot of a [`FairSlots`]; released when dropped.
#[derive(Debug)]
pub struct Slot(Option<(FairSlots, Subject)>);

impl FairSlots {
    /// Creates `slots`, of which one subject holds all but one at the most. Zero counts as one.
    #[must_use]
    pub fn new(slots: usize) -> Self {
        let slots = slots.max(1);
        let of_subject = slots.saturating_sub(1).max(1);
        Self(Arc::new(SharedSlots {
            of_subject,
            state: Mutex::new(SlotState {
                free: slots,
                ..SlotState::default()
            }),
        }))
    }

    /// Acquires a slot, as soon as one is free and it is this subject's turn. Dropping the future
    /// gives up the place in the queue.
    pub async fn acquire(&self, subject: &Subject) -> Slot {
        let mut waiting = {
            let mut state = self.lock();
            // All waiters wait for a slot that this subject may not have either, or are this
            // subject's and came earlier.
            if state.free > 0
                && state.turns.of(subject).next().is_none()
                && state.held_by(subject) < self.0.of_subject
            {
                state.take(subject);
                return self.slot(subject);
            }
            let (sender, receiver) = oneshot::channel();
            let ticket = state.wait(subject, sender);
            Waiting {
                slots: self,
                subject,
                ticket,
                receiver,
            }
        };
        match (&mut waiting.receiver).await {
            Ok(slot) => slot,
            // The sender lives in the queue until it is used, and only `Waiting` removes it.
            Err(_) => std::future::pending().await,
        }
    }

    fn lock(&self) -> MutexGuard<'_, SlotState> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn slot(&self, subject: &Subject) -> Slot {
        Slot(Some((self.clone(), subject.clone())))
    }

    fn release(&self, subject: &Subject) {
        let mut state = self.lock();
        state.give_back(subject);
        while state.free > 0 {
            // Skips a subject that holds as many as it may.
            let SlotState { held, turns, .. } = &mut *state;
            let may = |subject: &Subject| {
                held.get(subject)
                    .is_none_or(|held| *held < self.0.of_subject)
            };
            let Some((next, waiter)) = turns.pop_of(may) else {
                break;
            };
            state.take(&next);
            if let Err(mut unwanted) = waiter.slot.send(self.slot(&next)) {
                // No waiter is left. Dropping the slot would come here again while the lock is
                // held.
                unwanted.0 = None;
                state.give_back(&next);
            }
        }
    }
}

impl SlotState {
    fn held_by(&self, subject: &Subject) -> usize {
        self.held.get(subject).copied().unwrap_or(0)
    }

    fn take(&mut self, subject: &Subject) {
        self.free = self.free.saturating_sub(1);
        *self.held.entry(subject.clone()).or_insert(0) += 1;
    }

    fn give_back(&mut self, subject: &Subject) {
        self.free += 1;
        if let Some(held) = self.held.get_mut(subject) {
            *held = held.saturating_sub(1);
            if *held == 0 {
                self.held.remove(subject);
            }
        }
    }

    fn wait(&mut self, subject: &Subject, slot: oneshot::Sender<Slot>) -> u64 {
        let ticket = self.next_ticket;
        self.next_ticket = ticket.wrapping_add(1);
        self.turns.push(subject, Waiter { ticket, slot });
        ticket
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        if let Some((slots, subject)) = self.0.take() {
            slots.release(&subject);
        }
    }
}

/// A place in the queue; given up when dropped, together with a slot that was sent and not taken.
struct Waiting<'a> {
    slots: &'a FairSlots,
    subject: &'a Subject,
    ticket: u64,
    receiver: oneshot::Receiver<Slot>,
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.slots
            .lock()
            .turns
            .remove(self.subject, |waiter| waiter.ticket == self.ticket);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt as _;

    fn subject(name: &str) -> Subject {
        Subject::new(name).unwrap()
    }

    #[test]
    fn a_slot_is_left_for_another_subject() {
        let (slots, a, b) = (FairSlots::new(3), subject("a"), subject("b"));
        let held: Vec<_> = (0..2)
            .map(|_| slots.acquire(&a).now_or_never().unwrap())
            .collect();
        assert!(slots.acquire(&a).now_or_never().is_none());
        assert!(slots.acquire(&b).now_or_never().is_some());
        drop(held);
        assert!(slots.acquire(&a).now_or_never().is_some());
    }

    #[test]
    fn subjects_take_turns() {
        let (slots, a, b) = (FairSlots::new(1), subject("a"), subject("b"));
        let held = slots.acquire(&a).now_or_never().unwrap();
        let mut waiting: Vec<_> = [&a, &a, &b]
            .map(|subject| Box::pin(slots.acquire(subject)))
            .into();
        assert!(
            waiting
                .iter_mut()
                .all(|waiting| waiting.now_or_never().is_none())
        );
        drop(held);
        let mut ready = |at: usize| waiting.get_mut(at).unwrap().now_or_never();
        let first = ready(0).unwrap();
        assert!(ready(1).is_none() && ready(2).is_none());
        drop(first);
        let second = ready(2).unwrap();
        assert!(ready(1).is_none());
        drop(second);
        assert!(ready(1).is_some());
    }

    #[test]
    fn dropped_waiter_leaves_no_slot_taken() {
        let (slots, a, b) = (FairSlots::new(1), subject("a"), subject("b"));
        let held = slots.acquire(&a).now_or_never().unwrap();
        let mut gone = Box::pin(slots.acquire(&b));
        let mut called = Box::pin(slots.acquire(&b));
        assert!((&mut gone).now_or_never().is_none() && (&mut called).now_or_never().is_none());
        drop(gone);
        // The slot is sent to the waiter, which is dropped without having received it.
        drop(held);
        drop(called);
        assert!(slots.acquire(&a).now_or_never().is_some());
        let state = slots.lock();
        assert!(state.turns.subjects().next().is_none() && state.held.is_empty());
        assert_eq!(state.free, 1);
    }
}
