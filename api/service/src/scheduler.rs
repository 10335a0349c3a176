//! Queue of executions and CPU scheduler, both round-robin by subject: which execution runs next?
//!
//! Two queues, both fair between subjects. [`Admission`] is the queue of executions, which hands
//! out concurrency slots: it is bounded, and the subjects take turns. [`Processors`] hands out the
//! processors for the milliseconds between two yield points of a guest, so that a hundred busy
//! programs of one subject cost another one no more than a single program would.

use crate::subject_quotas::{SubjectQuotas, max_running};
use glovebox::RoundRobin;
use glovebox_policy::{Denial, Quota, Subject};
use std::collections::HashMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Wake, Waker};
use tokio::sync::oneshot;

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Limits of the queue of executions: running and queued ones of all subjects together.
#[derive(Clone, Copy, Debug)]
pub(crate) struct AdmissionLimits {
    /// Concurrent executions.
    pub(crate) running: usize,
    /// Queued executions.
    pub(crate) queue: usize,
    /// Bytes of queued requests.
    pub(crate) queue_bytes: usize,
}

/// The reason why an execution does not enter the queue of executions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum QueueFull {
    /// The subject has too many queued.
    Subject(Box<Denial>),
    /// The queued requests of the subject have too many bytes: half of what all of them may have.
    SubjectBytes,
    /// All subjects together have.
    All,
}

/// The queue of executions, which hands out concurrency slots. The policy admits a request only
/// later, in the sandbox (`Policy::admit`).
#[derive(Debug)]
pub(crate) struct Admission {
    limits: AdmissionLimits,
    quotas: Arc<SubjectQuotas>,
    state: Mutex<AdmissionState>,
}

/// The running executions, and the queue of executions.
#[derive(Debug, Default)]
struct AdmissionState {
    running: usize,
    running_of: HashMap<Subject, RunningCount>,
    waiting: usize,
    waiting_bytes: usize,
    turns: RoundRobin<Waiter>,
}

/// The running executions of one subject.
#[derive(Debug)]
struct RunningCount {
    count: usize,
    /// Its quota when the newest of them began.
    most: usize,
}

#[derive(Debug)]
struct Waiter {
    slot: oneshot::Sender<AdmissionSlot>,
    bytes: usize,
}

/// A concurrency slot from the queue of executions; released on drop.
#[derive(Debug)]
pub(crate) struct AdmissionSlot(Option<(Arc<Admission>, Subject)>);

/// A slot, now or later. If it is dropped while queued, its queue entry is removed at the latest
/// when its turn comes.
#[derive(Debug)]
pub(crate) enum QueueEntry {
    Now(AdmissionSlot),
    Later(oneshot::Receiver<AdmissionSlot>),
}

impl Admission {
    pub(crate) fn new(limits: AdmissionLimits, quotas: Arc<SubjectQuotas>) -> Arc<Self> {
        Arc::new(Self {
            limits,
            quotas,
            state: Mutex::default(),
        })
    }

    /// Takes a slot or joins the queue.
    pub(crate) fn enter(
        self: &Arc<Self>,
        subject: &Subject,
        bytes: usize,
    ) -> Result<QueueEntry, QueueFull> {
        let quotas = self.quotas.of(subject);
        let most = max_running(&quotas);
        let mut state = lock(&self.state);
        // Queued executions either wait for something that this one does not need, or came first.
        if state.running < self.limits.running
            && state.running_of(subject) < most
            && state.turns.of(subject).next().is_none()
        {
            state.begin(subject, most);
            return Ok(QueueEntry::Now(AdmissionSlot(Some((
                Arc::clone(self),
                subject.clone(),
            )))));
        }
        let limits = &self.limits;
        let is_full = |state: &AdmissionState| {
            let own = state.turns.of(subject);
            let (count, size) = own.fold((0, bytes), |(count, size), waiter| {
                (count + 1, size.saturating_add(waiter.bytes))
            });
            // No subject alone may fill the queue's bytes.
            if let Err(denial) = quotas.check(Quota::Queued, count, 1) {
                Some(QueueFull::Subject(Box::new(denial)))
            } else if count > 0 && size > limits.queue_bytes / 2 {
                Some(QueueFull::SubjectBytes)
            } else if state.waiting >= limits.queue
                || state.waiting_bytes.saturating_add(bytes) > limits.queue_bytes
            {
                Some(QueueFull::All)
            } else {
                None
            }
        };
        // Entries of clients that have disconnected must not keep others out.
        if is_full(&state).is_some() {
            state.forget_the_gone();
        }
        if let Some(full) = is_full(&state) {
            return Err(full);
        }
        let (slot, later) = oneshot::channel();
        state.waiting += 1;
        state.waiting_bytes += bytes;
        state.turns.push(subject, Waiter { slot, bytes });
        Ok(QueueEntry::Later(later))
    }

    /// Returns the number of running and of queued executions.
    pub(crate) fn numbers(&self) -> (usize, usize) {
        let state = lock(&self.state);
        (state.running, state.waiting)
    }

    fn leave(self: Arc<Self>, subject: &Subject) {
        let mut guard = lock(&self.state);
        let state = &mut *guard;
        state.end(subject);
        while state.running < self.limits.running {
            let may = |subject: &Subject| {
                let running = state.running_of.get(subject);
                running.is_none_or(|running| running.count < running.most)
            };
            let Some((next, ticket)) = state.turns.pop_of(may) else {
                break;
            };
            state.waiting -= 1;
            state.waiting_bytes -= ticket.bytes;
            state.begin(&next, max_running(&self.quotas.of(&next)));
            if let Err(mut slot) = ticket
                .slot
                .send(AdmissionSlot(Some((Arc::clone(&self), next.clone()))))
            {
                // Its waiter is gone. The slot must not be released through its drop while the lock
                // is held.
                slot.0 = None;
                state.end(&next);
            }
        }
    }
}

impl AdmissionState {
    fn running_of(&self, subject: &Subject) -> usize {
        let running = self.running_of.get(subject);
        running.map_or(0, |running| running.count)
    }

    fn begin(&mut self, subject: &Subject, most: usize) {
        self.running += 1;
        let idle = RunningCount { count: 0, most };
        let running = self.running_of.entry(subject.clone()).or_insert(idle);
        running.count += 1;
        running.most = most;
    }

    fn end(&mut self, subject: &Subject) {
        self.running -= 1;
        if let Some(running) = self.running_of.get_mut(subject) {
            running.count -= 1;
            if running.count == 0 {
                self.running_of.remove(subject);
            }
        }
    }

    fn forget_the_gone(&mut self) {
        let subjects: Vec<Subject> = self.turns.subjects().cloned().collect();
        for subject in subjects {
            let gone = self
                .turns
                .of(&subject)
                .filter(|waiter| waiter.slot.is_closed());
            let (count, bytes) = gone.fold((0, 0), |(count, bytes), waiter| {
                (count + 1, bytes + waiter.bytes)
            });
            self.turns
                .remove(&subject, |waiter| waiter.slot.is_closed());
            self.waiting -= count;
            self.waiting_bytes -= bytes;
        }
    }
}

impl Drop for AdmissionSlot {
    fn drop(&mut self) {
        if let Some((admission, subject)) = self.0.take() {
            admission.leave(&subject);
        }
    }
}

impl QueueEntry {
    /// Waits for the slot.
    pub(crate) async fn slot(self) -> Option<AdmissionSlot> {
        match self {
            Self::Now(slot) => Some(slot),
            Self::Later(later) => later.await.ok(),
        }
    }

    pub(crate) fn is_queued(&self) -> bool {
        matches!(self, Self::Later(_))
    }
}

/// Hands out processors.
///
/// A future that shares them is woken through here, so ready futures wait here and not in the
/// runtime's run queue, which knows no subjects.
#[derive(Debug)]
pub(crate) struct Processors(Mutex<ProcessorState>);

#[derive(Debug)]
struct ProcessorState {
    free: usize,
    ready: RoundRobin<Arc<Ticket>>,
}

/// The state of a future.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// It waits for something of its own.
    Pending,
    /// It is ready, and waits for a processor.
    Ready,
    /// A processor is reserved for it, and it has been woken.
    Called,
    /// It is being polled on its processor.
    Polled,
    /// It is being polled, and has been woken meanwhile.
    PolledAndReady,
    /// It is complete or dropped.
    Over,
}

/// A future's entry in the scheduler.
#[derive(Debug)]
struct Ticket {
    processors: Arc<Processors>,
    subject: Subject,
    /// Only accessed under the lock of [`Processors`].
    state: Mutex<(Phase, Option<Waker>)>,
}

impl Ticket {
    fn with<T>(&self, act: impl FnOnce(&mut Phase, &mut Option<Waker>) -> T) -> T {
        let (phase, outer) = &mut *lock(&self.state);
        act(phase, outer)
    }
}

impl Wake for Ticket {
    fn wake(self: Arc<Self>) {
        let called = {
            let mut state = lock(&self.processors.0);
            match self.with(|phase, _| *phase) {
                Phase::Pending => {
                    self.with(|phase, _| *phase = Phase::Ready);
                    state.ready.push(&self.subject, Arc::clone(&self));
                    state.call()
                }
                Phase::Polled => {
                    self.with(|phase, _| *phase = Phase::PolledAndReady);
                    None
                }
                Phase::Ready | Phase::Called | Phase::PolledAndReady | Phase::Over => None,
            }
        };
        if let Some(waker) = called {
            waker.wake();
        }
    }
}

impl Processors {
    pub(crate) fn new(number: usize) -> Arc<Self> {
        Arc::new(Self(Mutex::new(ProcessorState {
            free: number,
            ready: RoundRobin::default(),
        })))
    }

    /// Wraps a future so that it is polled only when it is its subject's turn.
    pub(crate) fn share<F: Future>(self: &Arc<Self>, subject: Subject, future: F) -> Shared<F> {
        let ticket = Arc::new(Ticket {
            processors: Arc::clone(self),
            subject,
            state: Mutex::new((Phase::Pending, None)),
        });
        Shared {
            is_new: true,
            waker: Waker::from(Arc::clone(&ticket)),
            ticket,
            future: Box::pin(future),
        }
    }
}

impl ProcessorState {
    /// Reserves a free processor for the next ready future, and returns its waker.
    fn call(&mut self) -> Option<Waker> {
        let rest = self.free.checked_sub(1)?;
        let (_, ticket) = self.ready.pop_of(|_| true)?;
        self.free = rest;
        ticket.with(|phase, outer| {
            *phase = Phase::Called;
            outer.take()
        })
    }

    /// Releases a processor, and passes it on.
    fn give_back(&mut self) -> Option<Waker> {
        self.free += 1;
        self.call()
    }
}

/// A future that shares the processors with others.
pub(crate) struct Shared<F> {
    is_new: bool,
    ticket: Arc<Ticket>,
    waker: Waker,
    future: Pin<Box<F>>,
}

impl<F: Future> Future for Shared<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.get_mut();
        let called = {
            let mut state = lock(&this.ticket.processors.0);
            this.ticket
                .with(|_, outer| *outer = Some(context.waker().clone()));
            if std::mem::take(&mut this.is_new) {
                this.ticket.with(|phase, _| *phase = Phase::Ready);
                state
                    .ready
                    .push(&this.ticket.subject, Arc::clone(&this.ticket));
            }
            let phase = || this.ticket.with(|phase, _| *phase);
            let before = phase();
            let called = state.call();
            if before != Phase::Called && phase() == Phase::Called {
                // It is this future's own turn already, and while being polled it needs no waking.
                this.ticket.with(|_, outer| *outer = called);
                None
            } else {
                called
            }
        };
        if let Some(waker) = called {
            waker.wake();
        }
        let is_called = this.ticket.with(|phase, _| {
            let is_called = *phase == Phase::Called;
            if is_called {
                *phase = Phase::Polled;
            }
            is_called
        });
        if !is_called {
            return Poll::Pending;
        }
        let mut held = ProcessorGuard {
            ticket: &this.ticket,
            is_over: true,
        };
        let polled = this
            .future
            .as_mut()
            .poll(&mut Context::from_waker(&this.waker));
        held.is_over = polled.is_ready();
        polled
    }
}

/// A processor in use; released however the poll ends.
struct ProcessorGuard<'a> {
    ticket: &'a Arc<Ticket>,
    is_over: bool,
}

impl Drop for ProcessorGuard<'_> {
    fn drop(&mut self) {
        let next = {
            let mut state = lock(&self.ticket.processors.0);
            let goes_on = self.ticket.with(|phase, _| {
                let goes_on = *phase == Phase::PolledAndReady && !self.is_over;
                *phase = match (self.is_over, goes_on) {
                    (true, _) => Phase::Over,
                    (false, true) => Phase::Ready,
                    (false, false) => Phase::Pending,
                };
                goes_on
            });
            if goes_on {
                state
                    .ready
                    .push(&self.ticket.subject, Arc::clone(self.ticket));
            }
            state.give_back()
        };
        if let Some(waker) = next {
            waker.wake();
        }
    }
}

impl<F> Drop for Shared<F> {
    fn drop(&mut self) {
        let next = {
            let mut state = lock(&self.ticket.processors.0);
            match self
                .ticket
                .with(|phase, _| std::mem::replace(phase, Phase::Over))
            {
                Phase::Ready => {
                    state.ready.remove(&self.ticket.subject, |other| {
                        Arc::ptr_eq(other, &self.ticket)
                    });
                    None
                }
                Phase::Called => state.give_back(),
                _ => None,
            }
        };
        if let Some(waker) = next {
            waker.wake();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use glovebox_policy::{Policy, QuotaSettings};

    fn subject(name: &str) -> Subject {
        Subject::new(name).unwrap()
    }

    const LIMITS: AdmissionLimits = AdmissionLimits {
        running: 1,
        queue: 5,
        queue_bytes: 100,
    };

    /// Each subject may run one execution and queue three, those of the policy instead of settings.
    fn admission(limits: AdmissionLimits, policy: &str) -> Arc<Admission> {
        let settings = QuotaSettings::default()
            .with(Quota::Running, 1, "limits.running_per_subject")
            .with(Quota::Queued, 3, "limits.queue_per_subject");
        let policy = Policy::check(&format!("version = 1\n{policy}")).unwrap();
        Admission::new(limits, SubjectQuotas::new(policy, settings))
    }

    fn rule(full: &QueueFull) -> &str {
        match full {
            QueueFull::Subject(denial) => &denial.rule,
            QueueFull::SubjectBytes => "bytes",
            QueueFull::All => "all",
        }
    }

    #[tokio::test]
    async fn subjects_take_turns() {
        let admission = admission(LIMITS, "");
        let first = admission
            .enter(&subject("flood"), 1)
            .unwrap()
            .slot()
            .await
            .unwrap();
        let mut waiting = Vec::new();
        for name in ["flood", "flood", "flood", "canary"] {
            waiting.push((name, admission.enter(&subject(name), 1).unwrap()));
        }
        let order = Arc::new(Mutex::new(Vec::new()));
        let tasks: Vec<_> = waiting
            .into_iter()
            .map(|(name, waiting)| {
                let order = Arc::clone(&order);
                tokio::spawn(async move {
                    let slot = waiting.slot().await;
                    lock(&order).push(name);
                    drop(slot);
                })
            })
            .collect();
        drop(first);
        for task in tasks {
            task.await.unwrap();
        }
        assert_eq!(*lock(&order), ["flood", "canary", "flood", "flood"]);
        assert_eq!(admission.numbers(), (0, 0));
    }

    #[tokio::test]
    async fn the_queue_is_bounded_for_each_and_for_all() {
        let admission = admission(LIMITS, "");
        let _running = admission.enter(&subject("a"), 1).unwrap();
        let mut waiting: Vec<_> = (0..3)
            .map(|_| admission.enter(&subject("a"), 1).unwrap())
            .collect();
        assert_eq!(
            rule(&admission.enter(&subject("a"), 1).unwrap_err()),
            "limits.queue_per_subject"
        );
        assert_eq!(
            rule(&admission.enter(&subject("b"), 1000).unwrap_err()),
            "all"
        );
        assert_eq!(
            admission.enter(&subject("b"), 100).unwrap_err(),
            QueueFull::All
        );
        // A dropped waiter makes room.
        waiting.pop();
        waiting.push(admission.enter(&subject("a"), 1).unwrap());
        waiting.push(admission.enter(&subject("b"), 1).unwrap());
        waiting.push(admission.enter(&subject("b"), 1).unwrap());
        assert_eq!(
            admission.enter(&subject("c"), 1).unwrap_err(),
            QueueFull::All
        );
        drop(waiting);
        drop(_running);
        assert_eq!(admission.numbers(), (0, 0));
    }

    #[tokio::test]
    async fn quotas_of_the_policy_take_precedence_for_their_subjects() {
        let policy = "[[bindings]]\nsubject = \"wide\"\nprofiles = [\"offline\"]\nquotas = { running = 3, queued = 1 }\n";
        let limits = AdmissionLimits {
            running: 5,
            queue: 50,
            ..LIMITS
        };
        let admission = admission(limits, policy);
        let mut running = Vec::new();
        for _ in 0..3 {
            let entered = admission.enter(&subject("wide"), 1).unwrap();
            assert!(!entered.is_queued());
            running.push(entered);
        }
        let next = admission.enter(&subject("wide"), 1).unwrap();
        assert!(next.is_queued());
        assert_eq!(
            rule(&admission.enter(&subject("wide"), 1).unwrap_err()),
            "bindings.\"wide\".quotas.queued"
        );
        let other = admission.enter(&subject("other"), 1).unwrap();
        assert!(!other.is_queued());
        assert!(admission.enter(&subject("other"), 1).unwrap().is_queued());
        running.pop();
        assert!(next.slot().await.is_some());
    }

    /// Yields this often, and logs each step.
    struct Steps(usize, &'static str, Arc<Mutex<Vec<&'static str>>>);

    impl Future for Steps {
        type Output = ();

        fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
            lock(&self.2).push(self.1);
            if self.0 == 0 {
                return Poll::Ready(());
            }
            self.0 -= 1;
            context.waker().wake_by_ref();
            Poll::Pending
        }
    }

    #[tokio::test]
    async fn processors_go_round_by_subject_and_not_by_program() {
        let processors = Processors::new(1);
        let order = Arc::new(Mutex::new(Vec::new()));
        let names = ["flood"; 20].into_iter().chain(["canary"]);
        let tasks: Vec<_> = names
            .map(|name| {
                tokio::spawn(processors.share(subject(name), Steps(9, name, Arc::clone(&order))))
            })
            .collect();
        for task in tasks {
            task.await.unwrap();
        }
        let order = lock(&order);
        assert_eq!(order.len(), 210);
        let last_of_canary = order.iter().rposition(|name| *name == "canary").unwrap();
        assert!(
            last_of_canary < 60,
            "a turn in two, not one in 21: {last_of_canary}"
        );
        assert_eq!(lock(&processors.0).free, 1);
    }

    #[tokio::test]
    async fn dropped_waiter_loses_no_cpu_permit() {
        let processors = Processors::new(1);
        let order = Arc::new(Mutex::new(Vec::new()));
        let tasks: Vec<_> = (0..8)
            .map(|_| {
                tokio::spawn(processors.share(subject("a"), Steps(1000, "a", Arc::clone(&order))))
            })
            .collect();
        tokio::task::yield_now().await;
        for task in &tasks {
            task.abort();
        }
        for task in tasks {
            let _ = task.await;
        }
        let state = lock(&processors.0);
        assert_eq!((state.free, state.ready.subjects().count()), (1, 0));
    }
}
