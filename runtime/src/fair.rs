//! Whose turn is it?
//!
//! A bounded number of slots for work of one kind. Whoever waits, waits among those of the same subject; the subjects take turns, and none of
//! them holds all slots, so that there is one for whoever comes next.

use glovebox_policy::Subject;
use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::oneshot;

/// Slots that subjects take in turn.
#[derive(Clone, Debug)]
pub struct FairSlots(Arc<Mutex<State>>);

#[derive(Debug)]
struct State {
    free: usize,
    /// Slots that one subject may hold.
    most: usize,
    held: HashMap<Subject, usize>,
    waiting: HashMap<Subject, VecDeque<oneshot::Sender<Slot>>>,
    /// Those who have somebody waiting, the next one first.
    order: VecDeque<Subject>,
}

/// A slot; given back when dropped.
#[derive(Debug)]
pub struct Slot(Option<(FairSlots, Subject)>);

impl FairSlots {
    /// This many slots, of which no subject holds more than half.
    #[must_use]
    pub fn new(slots: usize) -> Self {
        let free = slots.max(1);
        let state = State { free, most: free.div_ceil(2), held: HashMap::new(), waiting: HashMap::new(), order: VecDeque::new() };
        Self(Arc::new(Mutex::new(state)))
    }

    /// Waits for a slot. Whoever stops waiting loses nothing but the place in line.
    pub async fn acquire(&self, subject: &Subject) -> Slot {
        loop {
            let later = {
                let mut state = self.state();
                if state.take(subject) {
                    return Slot(Some((self.clone(), subject.clone())));
                }
                let (slot, later) = oneshot::channel();
                if !state.waiting.contains_key(subject) {
                    state.order.push_back(subject.clone());
                }
                state.waiting.entry(subject.clone()).or_default().push_back(slot);
                later
            };
            // The sender is dropped with the slots themselves only.
            if let Ok(slot) = later.await {
                return slot;
            }
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn give_back(self, subject: &Subject) {
        let mut state = self.state();
        state.put_back(subject);
        while let Some((next, waiter)) = state.next() {
            if let Err(mut slot) = waiter.send(Slot(Some((self.clone(), next.clone())))) {
                // Nobody waits any more. It must not be given back through its drop while the lock is held.
                slot.0 = None;
                state.put_back(&next);
            }
        }
    }
}

impl State {
    fn may(&self, subject: &Subject) -> bool {
        self.free > 0 && self.held.get(subject).copied().unwrap_or(0) < self.most
    }

    fn take(&mut self, subject: &Subject) -> bool {
        let may = self.may(subject);
        if may {
            self.free -= 1;
            *self.held.entry(subject.clone()).or_insert(0) += 1;
        }
        may
    }

    fn put_back(&mut self, subject: &Subject) {
        self.free += 1;
        if let Some(held) = self.held.get_mut(subject) {
            *held -= 1;
            if *held == 0 {
                self.held.remove(subject);
            }
        }
    }

    /// Takes a slot for whoever is next.
    fn next(&mut self) -> Option<(Subject, oneshot::Sender<Slot>)> {
        let at = self.order.iter().position(|subject| self.may(subject))?;
        let subject = self.order.remove(at)?;
        let queue = self.waiting.get_mut(&subject)?;
        let waiter = queue.pop_front();
        if queue.is_empty() {
            self.waiting.remove(&subject);
        } else {
            self.order.push_back(subject.clone());
        }
        let waiter = waiter?;
        self.take(&subject);
        Some((subject, waiter))
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        if let Some((slots, subject)) = self.0.take() {
            slots.give_back(&subject);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn subject(name: &str) -> Subject {
        Subject::new(name).unwrap()
    }

    #[tokio::test]
    async fn subjects_take_turns_and_none_holds_all_slots() {
        let slots = FairSlots::new(2);
        let (flood, canary) = (subject("flood"), subject("canary"));
        let first = slots.acquire(&flood).await;
        let order = Arc::new(Mutex::new(Vec::new()));
        let wait = |subject: Subject| {
            let (slots, order) = (slots.clone(), Arc::clone(&order));
            tokio::spawn(async move {
                let _slot = slots.acquire(&subject).await;
                order.lock().unwrap().push(subject.to_string());
            })
        };
        let mut floods: Vec<_> = (0..3).map(|_| wait(flood.clone())).collect();
        tokio::task::yield_now().await;
        assert!(order.lock().unwrap().is_empty(), "the second slot is nobody's that has one");
        wait(canary.clone()).await.unwrap();
        assert_eq!(*order.lock().unwrap(), ["canary"]);
        // Who goes away is passed over.
        floods.remove(0).abort();
        drop(first);
        for flood in floods {
            flood.await.unwrap();
        }
        let state = slots.state();
        assert_eq!((state.free, state.held.len(), state.waiting.len(), state.order.len()), (2, 0, 0, 0));
    }
}
