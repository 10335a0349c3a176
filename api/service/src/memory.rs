//! Memory accounting by subject: how much of the service's memory has each one?
//!
//! One account for everything whose size a client controls: bodies of requests while they are read
//! and for as long as their content lives, memory and workspaces of guests as they grow, idle
//! sessions, plans of task trees, responses until they are sent. Memory is charged before it is
//! allocated, so the account never exceeds its limit. A reserve is kept back for subjects that have
//! little, and idle sessions are evicted to make room.

use crate::config::ServiceLimits;
use crate::subject_quotas::SubjectQuotas;
use bytes::Bytes;
use glovebox::MemoryAccount;
use glovebox_policy::{Denial, Quota, Subject};
use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

/// The reserve for subjects with little: one part in so many of all memory.
const RESERVE: u64 = 8;

/// The minimum number of subjects among which the reserve is divided: what one subject takes does
/// not come out of the next subject's part.
const RESERVED: u64 = 8;

/// Callback for memory pressure: evicts something idle. Returns whether there was anything.
type MakeRoom = Box<dyn Fn(Wanted<'_>) -> bool + Send + Sync>;

/// The subject that needs memory, and the subjects from which it may be taken.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wanted<'a> {
    pub(crate) subject: &'a Subject,
    /// Set if other subjects have to give way as well: those with more than this.
    pub(crate) share: Option<u64>,
}

/// Bytes of a JSON text up to which its strings are not counted.
const SMALL_TEXT: usize = 4 << 10;

/// Bytes of the smallest string in memory: its fields, and its allocation.
const STRING_BYTES: usize = 56;

/// Returns the approximate bytes of a parsed JSON text. A list of empty strings takes many times
/// the length of its text.
#[must_use]
pub fn parsed_bytes(text: impl AsRef<[u8]>) -> usize {
    let text = text.as_ref();
    let strings = if text.len() <= SMALL_TEXT {
        0
    } else {
        memchr::memchr_iter(b'"', text).count() / 2
    };
    text.len() + strings * STRING_BYTES
}

/// The memory account.
pub struct Memory {
    all: u64,
    quotas: Arc<SubjectQuotas>,
    state: Mutex<MemoryState>,
    make_room: OnceLock<MakeRoom>,
}

#[derive(Debug, Default)]
struct MemoryState {
    used: u64,
    by_subject: HashMap<Subject, u64>,
}

/// The reason why memory is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NoMemory {
    /// The subject has reached its limit.
    Subject {
        /// Bytes that it uses.
        used: u64,
        /// Its limit.
        most: u64,
        /// Bytes that were asked for.
        asked: u64,
        /// The denial.
        denial: Box<Denial>,
    },
    /// All subjects together have.
    All {
        /// Bytes that they use.
        used: u64,
        /// Their limit.
        most: u64,
        /// Bytes that were asked for.
        asked: u64,
        /// The fair share of each subject.
        share: u64,
        /// Whether the subject would have no more than its share.
        is_below_share: bool,
    },
}

impl fmt::Display for NoMemory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Subject {
                used,
                most,
                asked,
                denial,
            } => {
                let rule = &denial.rule;
                let owner = if rule.starts_with("limits.") {
                    "service"
                } else {
                    "policy"
                };
                write!(
                    f,
                    "cannot allocate {asked} bytes: this key's requests, programs and sessions have {used} of {most} bytes \
                     (`{rule}` of the {owner}); end a session, or wait for what runs"
                )
            }
            Self::All {
                used, most, asked, ..
            } => write!(
                f,
                "cannot allocate {asked} bytes: the service has given out {used} of {most} bytes (`limits.memory`); try again later"
            ),
        }
    }
}

impl fmt::Debug for Memory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Memory")
            .field("all", &self.all)
            .field("quotas", &self.quotas)
            .finish_non_exhaustive()
    }
}

impl Memory {
    /// `all` are the bytes of all subjects together.
    pub(crate) fn new(all: u64, quotas: Arc<SubjectQuotas>) -> Arc<Self> {
        Arc::new(Self {
            all,
            quotas,
            state: Mutex::default(),
            make_room: OnceLock::new(),
        })
    }

    /// Sets the callback that makes room.
    pub(crate) fn asks(&self, make_room: MakeRoom) {
        let _ = self.make_room.set(make_room);
    }

    fn lock(&self) -> MutexGuard<'_, MemoryState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Charges bytes; they are released when the guard is dropped.
    ///
    /// # Errors
    ///
    /// The reason why they are refused.
    pub fn take(
        self: &Arc<Self>,
        subject: &Subject,
        bytes: usize,
    ) -> Result<MemoryCharge, NoMemory> {
        let mut taken = MemoryCharge {
            account: Some((Arc::clone(self), subject.clone())),
            bytes: 0,
        };
        taken.grow(bytes)?;
        Ok(taken)
    }

    /// Charges bytes, and evicts from others where that is fair.
    fn grow(&self, subject: &Subject, bytes: u64) -> Result<(), NoMemory> {
        loop {
            let why = match self.try_take(subject, bytes) {
                Ok(()) => return Ok(()),
                Err(why) => why,
            };
            // No other subject has to give way for one that has its share already.
            let share = match &why {
                NoMemory::All {
                    share,
                    is_below_share: true,
                    ..
                } => Some(*share),
                NoMemory::All { .. } | NoMemory::Subject { .. } => None,
            };
            // Not under the lock: what is evicted releases its bytes.
            if !self
                .make_room
                .get()
                .is_some_and(|make_room| make_room(Wanted { subject, share }))
            {
                return Err(why);
            }
        }
    }

    fn try_take(&self, subject: &Subject, bytes: u64) -> Result<(), NoMemory> {
        let quotas = self.quotas.of(subject);
        let mut state = self.lock();
        let own = state.by_subject.get(subject).copied().unwrap_or(0);
        let after = own.saturating_add(bytes);
        if let Err(denial) = quotas.check(Quota::Memory, own, bytes) {
            return Err(NoMemory::Subject {
                used: own,
                most: quotas.get(Quota::Memory).unwrap_or(self.all),
                asked: bytes,
                denial: Box::new(denial),
            });
        }
        let subjects = state.by_subject.len() as u64 + u64::from(own == 0);
        let share = self.all / subjects.max(1);
        let is_below_share = after <= share;
        let reserve = self.all / RESERVE;
        let most = if after <= reserve / subjects.max(RESERVED) {
            self.all
        } else {
            self.all - reserve
        };
        let used = state.used.saturating_add(bytes);
        if used > most {
            return Err(NoMemory::All {
                used: state.used,
                most,
                asked: bytes,
                share,
                is_below_share,
            });
        }
        state.used = used;
        match state.by_subject.get_mut(subject) {
            Some(own) => *own = after,
            None => {
                state.by_subject.insert(subject.clone(), after);
            }
        }
        Ok(())
    }

    fn give_back(&self, subject: &Subject, bytes: u64) {
        if bytes == 0 {
            return;
        }
        let mut state = self.lock();
        state.used = state.used.saturating_sub(bytes);
        if let Some(own) = state.by_subject.get_mut(subject) {
            *own = own.saturating_sub(bytes);
            if *own == 0 {
                state.by_subject.remove(subject);
            }
        }
    }

    /// Returns the bytes of a subject.
    pub(crate) fn of(&self, subject: &Subject) -> u64 {
        self.lock().by_subject.get(subject).copied().unwrap_or(0)
    }
}

impl MemoryAccount for Memory {
    fn try_grow(&self, subject: &Subject, bytes: u64) -> Result<(), String> {
        self.grow(subject, bytes).map_err(|why| why.to_string())
    }

    fn shrink(&self, subject: &Subject, bytes: u64) {
        self.give_back(subject, bytes);
    }

    fn room(&self, subject: &Subject) -> u64 {
        let of_subject = self.quotas.of(subject).get(Quota::Memory);
        let state = self.lock();
        let own = state.by_subject.get(subject).copied().unwrap_or(0);
        let of_all = (self.all - self.all / RESERVE).saturating_sub(state.used);
        of_all.min(of_subject.unwrap_or(self.all).saturating_sub(own))
    }
}

/// Charged bytes; released on drop.
#[derive(Debug, Default)]
pub struct MemoryCharge {
    account: Option<(Arc<Memory>, Subject)>,
    bytes: u64,
}

impl MemoryCharge {
    /// Returns the account and the subject that are charged.
    pub(crate) fn account(&self) -> Option<&(Arc<Memory>, Subject)> {
        self.account.as_ref()
    }

    /// # Errors
    ///
    /// The reason why more are refused.
    pub fn grow(&mut self, bytes: usize) -> Result<(), NoMemory> {
        let Some((account, subject)) = &self.account else {
            return Ok(());
        };
        account.grow(subject, bytes as u64)?;
        self.bytes += bytes as u64;
        Ok(())
    }

    /// Merges another charge of the same subject into this one.
    pub fn join(&mut self, mut other: Self) {
        if self.account.is_none() {
            *self = other;
        } else if other.account.is_some() {
            self.bytes += std::mem::take(&mut other.bytes);
        }
    }

    /// Releases what is no longer needed.
    pub fn shrink_to(&mut self, bytes: usize) {
        let less = self.bytes.saturating_sub(bytes as u64);
        if let Some((account, subject)) = &self.account {
            account.give_back(subject, less);
        }
        self.bytes -= less;
    }
}

/// A buffer with its memory charge.
struct ChargedBytes {
    bytes: Vec<u8>,
    _taken: MemoryCharge,
}

impl AsRef<[u8]> for ChargedBytes {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl MemoryCharge {
    /// Returns the buffer as [`Bytes`] that hold this charge until the last of them is sent or
    /// dropped.
    pub fn with(self, bytes: Vec<u8>) -> Bytes {
        Bytes::from_owner(ChargedBytes {
            bytes,
            _taken: self,
        })
    }
}

impl Drop for MemoryCharge {
    fn drop(&mut self) {
        self.shrink_to(0);
    }
}

/// Returns the bytes that all subjects together may have.
pub(crate) fn total(limits: &ServiceLimits) -> u64 {
    limits
        .memory
        .map_or_else(|| machine() / 10 * 7, |bytes| bytes as u64)
}

/// Returns the memory that this process may use: the machine's, or less if a cgroup limits it.
fn machine() -> u64 {
    let total = text("/proc/meminfo").lines().find_map(|line| {
        line.strip_prefix("MemTotal:")?
            .trim()
            .strip_suffix("kB")?
            .trim()
            .parse::<u64>()
            .ok()
    });
    // If the system does not report it, assume a small machine.
    let total = total.map_or(1 << 30, |total| total.saturating_mul(1024));
    limits_of_cgroups(&text("/proc/self/cgroup"), &text)
        .into_iter()
        .fold(total, u64::min)
}

/// Returns the content of a small system file; empty if there is none.
fn text(path: &str) -> String {
    #[expect(
        clippy::disallowed_methods,
        reason = "files of the kernel that tell this process its own limits; no name comes from outside"
    )]
    std::fs::read_to_string(path).unwrap_or_default()
}

/// Returns the limits of a process's cgroup and of its ancestors, in version 1 and 2.
fn limits_of_cgroups(membership: &str, read: &dyn Fn(&str) -> String) -> Vec<u64> {
    let mut limits = Vec::new();
    for line in membership.lines() {
        let mut parts = line.splitn(3, ':');
        let (Some(_), Some(controllers), Some(path)) = (parts.next(), parts.next(), parts.next())
        else {
            continue;
        };
        let (roots, file) = match controllers {
            "" => (["/sys/fs/cgroup", "/sys/fs/cgroup/unified"], "memory.max"),
            _ if controllers
                .split(',')
                .any(|controller| controller == "memory") =>
            {
                (
                    ["/sys/fs/cgroup/memory", "/sys/fs/cgroup"],
                    "memory.limit_in_bytes",
                )
            }
            _ => continue,
        };
        for root in roots {
            let mut at = path.trim_end_matches('/');
            loop {
                // `max` is no number, and so no limit.
                limits.extend(
                    read(&format!("{root}{at}/{file}"))
                        .trim()
                        .parse::<u64>()
                        .ok(),
                );
                let Some((above, _)) = at.rsplit_once('/') else {
                    break;
                };
                at = above;
            }
        }
    }
    limits
}

#[cfg(test)]
mod tests {
    use super::*;
    use glovebox_policy::{Policy, QuotaSettings};

    fn account(all: u64, of_subject: u64) -> Arc<Memory> {
        let settings =
            QuotaSettings::default().with(Quota::Memory, of_subject, "limits.memory_per_subject");
        Memory::new(all, SubjectQuotas::new(Policy::builtin(), settings))
    }

    fn subject(name: &str) -> Subject {
        Subject::new(name).unwrap()
    }

    #[test]
    fn memory_of_a_subject_is_bounded_and_given_back() {
        let memory = account(800, 600);
        let (a, b) = (subject("a"), subject("b"));
        let first = memory.take(&a, 600).unwrap();
        assert!(matches!(
            memory.take(&a, 1).unwrap_err(),
            NoMemory::Subject {
                used: 600,
                most: 600,
                asked: 1,
                ..
            }
        ));
        // The last eighth is for subjects with little.
        let mut second = memory.take(&b, 100).unwrap();
        assert!(matches!(
            second.grow(1).unwrap_err(),
            NoMemory::All {
                used: 700,
                most: 700,
                ..
            }
        ));
        drop(first);
        second.shrink_to(50);
        assert_eq!(
            (memory.of(&a), memory.of(&b), memory.lock().used),
            (0, 50, 50)
        );
        drop(second);
        let state = memory.lock();
        assert_eq!((state.used, state.by_subject.len()), (0, 0));
    }

    #[test]
    fn a_part_is_kept_back_for_those_with_little() {
        let memory = account(800, 800);
        let (a, b, c) = (subject("a"), subject("b"), subject("c"));
        let _a = memory.take(&a, 300).unwrap();
        let _b = memory.take(&b, 390).unwrap();
        assert!(matches!(
            memory.take(&b, 100).unwrap_err(),
            NoMemory::All { most: 700, .. }
        ));
        // A subject that uses the reserve leaves something for the next one.
        assert!(memory.take(&c, 13).is_err());
        let _few: Vec<_> = (0..8)
            .map(|at| memory.take(&subject(&format!("few-{at}")), 9).unwrap())
            .collect();
        let _c = memory.take(&c, 9).unwrap();
    }

    #[test]
    fn room_is_made_by_others_only_for_those_below_their_share() {
        let memory = account(800, 800);
        let (a, b) = (subject("a"), subject("b"));
        let idle = Mutex::new(Some(memory.take(&a, 600).unwrap()));
        let asked = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::clone(&asked);
        memory.asks(Box::new(move |wanted| {
            log.lock()
                .unwrap()
                .push((wanted.subject.clone(), wanted.share));
            wanted.share.is_some() && idle.lock().unwrap().take().is_some()
        }));
        assert!(memory.take(&b, 500).is_err());
        let _b = memory.take(&b, 400).unwrap();
        assert_eq!(
            *asked.lock().unwrap(),
            [(b.clone(), None), (b.clone(), Some(400))]
        );
    }

    #[test]
    fn the_least_limit_of_all_cgroups_is_found() {
        let files = [
            (
                "/sys/fs/cgroup/memory/a/b/memory.limit_in_bytes",
                "9223372036854771712\n",
            ),
            ("/sys/fs/cgroup/memory/a/memory.limit_in_bytes", "1048576\n"),
            ("/sys/fs/cgroup/x/memory.max", "max\n"),
            ("/sys/fs/cgroup/memory.max", "2097152\n"),
        ];
        let read = |path: &str| {
            files
                .iter()
                .find(|(name, _)| *name == path)
                .map(|(_, text)| (*text).to_owned())
                .unwrap_or_default()
        };
        let least = |membership: &str| limits_of_cgroups(membership, &read).into_iter().min();
        assert_eq!(least("4:cpu,memory:/a/b\n3:cpu:/\n"), Some(1 << 20));
        assert_eq!(least("0::/x\n"), Some(2 << 20));
        assert_eq!(least("0::/\n"), Some(2 << 20));
        assert_eq!(least("4:cpu:/\nnonsense"), None);
        assert!(machine() > 0);
    }
}
