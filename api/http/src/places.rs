//! Connection limits and eviction: which client may connect, and which idle connection is closed
//! for it?
//!
//! A connection is worth something only while it answers an authenticated request. When all places
//! are taken, all other connections give way to a new one: first those that have never sent a whole
//! head (a TLS handshake included), then those without a request in flight, the oldest first. So
//! idle connections never keep a client out, however many there are. Besides, one address has a
//! share of the places, one subject a share of the requests in flight, and one subject a share of
//! the followers of events.
//!
//! A request costs a handful of atomics and one short lock for its subject. All connections are
//! scanned only when all places are taken.

mod answer;
mod followers;
#[cfg(test)]
mod tests;

pub(super) use answer::{ChargedBody, Counted, Watched};
pub(super) use followers::{FollowerPermit, Followers, NoFollower};

use glovebox::CancellationToken;
use glovebox_policy::{Denial, Quota, Subject};
use glovebox_service::{ServiceLimits, SubjectQuotas};
use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// It has not sent a whole head yet.
const SILENT: u8 = 0;
/// It has sent one, and has no authenticated request in flight.
const IDLE: u8 = 1;
/// It has an authenticated request in flight, or was upgraded.
const ANSWERS: u8 = 2;
/// It is being closed for another one.
const LEAVES: u8 = 3;

/// One in so many places is never taken by a request in flight: whatever several subjects do
/// together, a new connection finds one to evict, and gets at least a response that there are too
/// many.
const RESERVE: usize = 16;

/// Connections that are being closed and still hold their file descriptor. Further ones wait for
/// them.
const MAX_LEAVING: usize = 64;

/// The origin of connections: an IPv4 address, or a /64 network with IPv6.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Network(IpAddr);

impl Network {
    fn of(address: IpAddr) -> Self {
        let address = address.to_canonical();
        Self(match address {
            IpAddr::V4(_) => address,
            IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(
                address.to_bits() & !u128::from(u64::MAX),
            )),
        })
    }
}

/// Limits on connections and requests.
#[derive(Clone, Copy, Debug)]
pub(super) struct PlaceLimits {
    /// Concurrent connections.
    pub(super) all: usize,
    /// Connections of one address.
    pub(super) of_address: usize,
}

impl PlaceLimits {
    pub(super) fn of(limits: &ServiceLimits) -> Self {
        let all = limits.connections;
        Self {
            all,
            of_address: limits.connections_per_address.unwrap_or((all / 4).max(1)),
        }
    }
}

/// All connections of a service.
#[derive(Debug)]
pub(super) struct Places {
    limits: PlaceLimits,
    quotas: Arc<SubjectQuotas>,
    /// Logical clock of connection events, which orders connections by idle time.
    moments: AtomicU64,
    state: Mutex<State>,
    /// Notified when a connection has closed, or has become idle.
    freed: Notify,
}

#[derive(Debug, Default)]
struct State {
    connections: HashMap<u64, Arc<Connection>>,
    of_address: HashMap<Network, usize>,
    /// Requests of all subjects in flight.
    under_way: usize,
    /// The same by address.
    under_way_at: HashMap<Network, usize>,
    /// The same by subject, and of each by address: nearly always a single one.
    of_subject: HashMap<Subject, Vec<(Network, usize)>>,
    /// Connections that are being closed for others.
    leaving: usize,
}

/// The result for a new connection.
pub(super) enum Entry {
    /// It is admitted.
    In(Place),
    /// Its address has as many connections as it may, and all of them have responses in flight.
    AddressFull,
}

/// The state of one connection.
#[derive(Debug)]
pub(super) struct Connection {
    id: u64,
    network: Network,
    places: Arc<Places>,
    state: AtomicU8,
    /// The time at which it last began to wait for a head.
    since: AtomicU64,
    /// The response body has been handed over; it remains to be sent.
    is_over: AtomicBool,
    under_way: Mutex<Option<UnderWay>>,
    /// Cancelled to close the connection.
    leave: CancellationToken,
}

/// The place of a connection; released on drop.
#[derive(Debug)]
pub(super) struct Place(pub(super) Arc<Connection>);

/// A request of a subject in flight; released on drop.
#[derive(Debug)]
pub(super) struct UnderWay(Arc<Places>, Network, Subject);

/// The reason why a request is not answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum NoAnswer {
    /// Its connection is being closed.
    Leaving,
    /// The subject has so many requests in flight that one more is over its quota.
    SubjectFull(usize, Box<Denial>),
    /// The subject has reached this limit on requests in flight from its address.
    SubjectFullAtAddress(usize),
    /// All subjects together have, at that address.
    AddressFull(usize),
    /// All subjects together have.
    Full(usize),
}

impl Places {
    pub(super) fn new(limits: PlaceLimits, quotas: Arc<SubjectQuotas>) -> Arc<Self> {
        Arc::new(Self {
            limits,
            quotas,
            moments: AtomicU64::new(1),
            state: Mutex::default(),
            freed: Notify::new(),
        })
    }

    fn moment(&self) -> u64 {
        self.moments.fetch_add(1, Ordering::Relaxed)
    }

    /// Returns a place for a connection from an address. Waits only if all places are taken by
    /// connections with requests in flight, or if too many that are being closed are still there.
    pub(super) async fn enter(self: &Arc<Self>, address: IpAddr) -> Entry {
        let network = Network::of(address);
        loop {
            let mut freed = std::pin::pin!(self.freed.notified());
            freed.as_mut().enable();
            if let Some(entry) = self.try_enter(network) {
                return entry;
            }
            freed.await;
        }
    }

    fn try_enter(self: &Arc<Self>, network: Network) -> Option<Entry> {
        let mut state = lock(&self.state);
        if state.leaving >= MAX_LEAVING {
            return None;
        }
        if state.of_address.get(&network).copied().unwrap_or(0) >= self.limits.of_address {
            if !state.make_room(Some(network)) {
                return Some(Entry::AddressFull);
            }
        } else if state.connections.len() - state.leaving >= self.limits.all
            && !state.make_room(None)
        {
            return None;
        }
        let id = self.moment();
        let connection = Arc::new(Connection {
            id,
            network,
            places: Arc::clone(self),
            state: AtomicU8::new(SILENT),
            since: AtomicU64::new(id),
            is_over: AtomicBool::new(false),
            under_way: Mutex::default(),
            leave: CancellationToken::new(),
        });
        state.connections.insert(id, Arc::clone(&connection));
        *state.of_address.entry(network).or_insert(0) += 1;
        Some(Entry::In(Place(connection)))
    }

    /// Returns the right to have one more request of a subject in flight. Others at the same
    /// address are left places as well: none of them takes all, nor do all of them together.
    pub(super) fn begin(
        self: &Arc<Self>,
        subject: &Subject,
        network: Network,
    ) -> Result<UnderWay, NoAnswer> {
        let most = self.limits.all - self.limits.all / RESERVE;
        let most_at = self.limits.of_address - self.limits.of_address / RESERVE;
        let share_at = self.limits.of_address.div_ceil(2);
        let quotas = self.quotas.of(subject);
        let mut state = lock(&self.state);
        let state = &mut *state;
        if state.under_way >= most {
            return Err(NoAnswer::Full(most));
        }
        let at_network = state.under_way_at.get(&network).copied().unwrap_or(0);
        match state.of_subject.get_mut(subject) {
            Some(own) => {
                let of_subject: usize = own.iter().map(|(_, count)| count).sum();
                quotas
                    .check(Quota::Requests, of_subject as u64, 1)
                    .map_err(|denial| NoAnswer::SubjectFull(of_subject, Box::new(denial)))?;
                let here = own.iter_mut().find(|(other, _)| *other == network);
                if here.as_ref().is_some_and(|(_, count)| *count >= share_at) {
                    return Err(NoAnswer::SubjectFullAtAddress(share_at));
                }
                if at_network >= most_at {
                    return Err(NoAnswer::AddressFull(most_at));
                }
                match here {
                    Some((_, count)) => *count += 1,
                    None => own.push((network, 1)),
                }
            }
            None => {
                if at_network >= most_at {
                    return Err(NoAnswer::AddressFull(most_at));
                }
                let own = vec![(network, 1)];
                state.of_subject.insert(subject.clone(), own);
            }
        }
        state.under_way += 1;
        state.under_way_at.insert(network, at_network + 1);
        Ok(UnderWay(Arc::clone(self), network, subject.clone()))
    }
}

fn one_less<K: std::hash::Hash + Eq>(counts: &mut HashMap<K, usize>, key: &K) {
    if let Some(count) = counts.get_mut(key) {
        *count -= 1;
        if *count == 0 {
            counts.remove(key);
        }
    }
}

impl State {
    /// Evicts the least important connection, of one address or of all; returns whether there is
    /// one.
    fn make_room(&mut self, network: Option<Network>) -> bool {
        loop {
            let candidates = self
                .connections
                .values()
                .filter(|connection| network.is_none_or(|network| connection.network == network));
            let ranked = candidates.filter_map(|connection| {
                let state = connection.state.load(Ordering::Acquire);
                (state <= IDLE)
                    .then(|| (state, connection.since.load(Ordering::Relaxed), connection))
            });
            let least = ranked.min_by_key(|(state, since, _)| (*state, *since));
            let Some((rank, connection)) =
                least.map(|(state, _, connection)| (state, Arc::clone(connection)))
            else {
                return false;
            };
            // It may have begun to answer a request since it was examined.
            if connection
                .state
                .compare_exchange(rank, LEAVES, Ordering::AcqRel, Ordering::Acquire)
                .is_ok()
            {
                one_less(&mut self.of_address, &connection.network);
                self.leaving += 1;
                connection.leave.cancel();
                return true;
            }
        }
    }
}

impl Connection {
    /// Returns the network that it comes from.
    pub(super) fn network(&self) -> Network {
        self.network
    }

    /// Completes when the connection has to close.
    pub(super) async fn leaves(&self) {
        self.leave.cancelled().await;
    }

    /// Records that it has sent a whole head, which is not authenticated yet.
    pub(super) fn asked(&self) {
        self.since.store(self.places.moment(), Ordering::Relaxed);
        self.is_over.store(false, Ordering::Release);
        let told = self
            .state
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, |state| {
                (state != LEAVES).then_some(IDLE)
            });
        if told == Ok(ANSWERS) {
            // The next request came before the last response was sent (pipelining).
            drop(lock(&self.under_way).take());
        }
    }

    /// Records that it answers an authenticated request.
    pub(super) fn answers(&self, under_way: UnderWay) -> Result<(), NoAnswer> {
        *lock(&self.under_way) = Some(under_way);
        match self
            .state
            .compare_exchange(IDLE, ANSWERS, Ordering::AcqRel, Ordering::Acquire)
        {
            Ok(_) | Err(ANSWERS) => Ok(()),
            Err(_) => {
                drop(lock(&self.under_way).take());
                Err(NoAnswer::Leaving)
            }
        }
    }

    /// Records that the response body has been handed over.
    fn over(&self) {
        self.is_over.store(true, Ordering::Release);
    }

    /// Records that everything handed over is sent.
    fn flushed(&self) {
        if self.is_over.load(Ordering::Acquire) && self.is_over.swap(false, Ordering::AcqRel) {
            drop(lock(&self.under_way).take());
            self.since.store(self.places.moment(), Ordering::Relaxed);
            if self
                .state
                .compare_exchange(ANSWERS, IDLE, Ordering::AcqRel, Ordering::Acquire)
                .is_ok()
            {
                self.places.freed.notify_waiters();
            }
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let Self(connection) = self;
        drop(lock(&connection.under_way).take());
        let places = Arc::clone(&connection.places);
        {
            let mut state = lock(&places.state);
            state.connections.remove(&connection.id);
            // A connection that is being closed has released its share already.
            if connection.state.load(Ordering::Acquire) == LEAVES {
                state.leaving -= 1;
            } else {
                one_less(&mut state.of_address, &connection.network);
            }
        }
        places.freed.notify_waiters();
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        let Self(places, network, subject) = self;
        let mut state = lock(&places.state);
        state.under_way -= 1;
        one_less(&mut state.under_way_at, network);
        let Some(own) = state.of_subject.get_mut(subject) else {
            return;
        };
        if let Some(index) = own.iter().position(|(other, _)| other == network)
            && let Some((_, count)) = own.get_mut(index)
        {
            *count -= 1;
            if *count == 0 {
                own.swap_remove(index);
            }
        }
        if own.is_empty() {
            state.of_subject.remove(subject);
        }
    }
}
