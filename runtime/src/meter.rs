//! Fuel metering of imports: what does a call into the host cost a run, and when does the run
//! yield?
//!
//! Every import is priced in fuel: a constant, and more by the requested work. Prices never depend
//! on time, so that a program uses the same fuel on every machine. One unit stands for about a
//! nanosecond of the host's work. In every metering mode a run that has not yielded for a
//! millisecond does so when the host returns to it, whatever fuel it used. New memory is populated
//! here, too, because page faults take time and no fuel.

use crate::engine::Metering;
use crate::memory::{NewPages, take_new_pages};
use rustix::time::{ClockId, clock_gettime};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};
use wasmtime::{AsContext, CallHook, CallHookHandler, Store, StoreContextMut, Trap};

/// Crossing the boundary, moving small arguments and looking up handles.
pub(crate) const CALL: u64 = 250;

/// One component of a path, or one name of a listing: a lookup in a sorted directory.
pub(crate) const NAME: u64 = 60;

/// One file or directory that an operation visits besides those on its path.
pub(crate) const NODE: u64 = 30;

/// One pollable or call that is awaited: a future of its own.
pub(crate) const WAIT: u64 = 250;

/// One operation on a directory of the host: a blocking thread and a few system calls.
pub(crate) const HOST_FILE: u64 = 10_000;

/// One call to a tool or the network: a task, the decision and an audit record.
pub(crate) const HOST_CALL: u64 = 10_000;

/// One string of a list that is handed to a guest: its allocation in the guest's memory.
pub(crate) const STRING: u64 = 150;

/// Bytes copied per unit of fuel.
const BYTES_COPIED: u64 = 16;

/// Bytes of text validated and copied per unit of fuel.
const BYTES_OF_TEXT: u64 = 8;

/// Units that are accumulated before they are taken from the fuel and the clock is read; keeps
/// cheap calls cheap.
const SETTLE: u64 = 5_000;

/// The time slice: how long a run may go on before it yields.
const TURN: Duration = Duration::from_millis(1);

/// Bytes that the engine copies out of a guest for one import, by kind of guest. Bounds the time
/// that one call can take, because the engine copies before any of our code runs. A guest of ours
/// hands over the arguments of a tool, at most 16 MiB.
pub(crate) const GUEST_COPY: usize = 32 << 20;

/// The same for an untrusted WebAssembly module, which has no tools to call.
pub(crate) const PROGRAM_COPY: usize = 4 << 20;

/// Bytes that the engine copies for the result of a guest.
pub(crate) const RESULT_COPY: usize = 48 << 20;

/// Random bytes that are generated per unit of fuel.
const RANDOM_BYTES: u64 = 2;

/// Returns the price of copying `bytes`.
pub(crate) fn copied(bytes: usize) -> u64 {
    bytes as u64 / BYTES_COPIED
}

/// Returns the price of generating `bytes` of random numbers.
pub(crate) fn random(bytes: u64) -> u64 {
    bytes / RANDOM_BYTES
}

/// Returns the price of validating and copying text of `bytes`.
pub(crate) fn text(bytes: usize) -> u64 {
    bytes as u64 / BYTES_OF_TEXT
}

/// The fuel that one run owes for the host's work. Cloning shares the count.
///
/// Only the thread that runs the guest charges, so plain loads and stores are exact.
#[derive(Clone, Debug, Default)]
pub(crate) struct Meter(Arc<AtomicU64>);

impl Meter {
    /// Adds units to the debt.
    pub(crate) fn charge(&self, units: u64) {
        self.0
            .store(self.owed().saturating_add(units), Ordering::Relaxed);
    }

    /// Returns the debt.
    pub(crate) fn owed(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    /// Takes the debt.
    pub(crate) fn take(&self) -> u64 {
        let owed = self.owed();
        self.0.store(0, Ordering::Relaxed);
        owed
    }
}

/// The call depth of a run between the guest and the host, and the start of its time slice.
#[derive(Debug)]
pub(crate) struct Pace {
    /// Calls from wasm into the host or the engine that are in progress.
    depth: u32,
    /// The depth at which an import of ours was entered; 0 for none. The engine's own functions
    /// leave the guest's count of fuel in registers, so it may be changed on the way back from an
    /// import only.
    import: u32,
    /// The time of the last yield.
    resumed: Instant,
    /// The coarse clock, which moves every few milliseconds, when the time was last read.
    coarse: i64,
}

impl Pace {
    pub(crate) fn new() -> Self {
        Self {
            depth: 0,
            import: 0,
            resumed: Instant::now(),
            coarse: 0,
        }
    }

    /// Enters an import of ours.
    pub(crate) fn enter(&mut self) {
        self.import = self.depth;
    }

    /// Starts a new evaluation.
    pub(crate) fn restart(&mut self) {
        *self = Self::new();
    }

    /// Returns whether the entered import returns to the guest now.
    fn leave(&mut self) -> bool {
        let left = self.import != 0 && self.import == self.depth;
        if left {
            self.import = 0;
        }
        self.depth = self.depth.saturating_sub(1);
        left
    }

    fn coarse_moved(&mut self) -> bool {
        let now = clock_gettime(ClockId::MonotonicCoarse);
        let now = now.tv_nsec.wrapping_add(now.tv_sec);
        std::mem::replace(&mut self.coarse, now) != now
    }
}

/// The state of a store whose imports are priced.
pub(crate) trait Metered: Send + 'static {
    /// Returns the fuel debt of the run.
    fn meter(&self) -> &Meter;

    /// Returns the pace of the run.
    fn pace(&mut self) -> &mut Pace;
}

/// Makes a store settle with its [`Meter`] and yield in time.
///
/// With fuel metering it has fuel. `copy` says how many bytes one import may have copied out of the
/// guest.
pub(crate) fn install<T: Metered>(store: &mut Store<T>, metering: Metering, copy: usize) {
    let counted = metering == Metering::Fuel;
    store.set_hostcall_fuel(copy);
    store.call_hook_async(Hook { counted, copy });
}

/// Returns the units that a run used of `granted`, with its debt.
pub(crate) fn spent<T: Metered>(store: &Store<T>, granted: u64) -> u64 {
    let owed = store.as_context().data().meter().owed();
    store.get_fuel().map_or(0, |left| {
        granted
            .saturating_sub(left)
            .saturating_add(owed)
            .min(granted)
    })
}

/// Populates new memory, and yields meanwhile.
async fn populate<T: Metered>(
    mut store: StoreContextMut<'_, T>,
    new: Vec<NewPages>,
) -> wasmtime::Result<()> {
    for mut pages in new {
        let mut is_more = true;
        while is_more {
            is_more = pages.populate();
            if store.data_mut().pace().resumed.elapsed() >= TURN {
                tokio::task::yield_now().await;
                store.data_mut().pace().resumed = Instant::now();
            }
        }
    }
    Ok(())
}

struct Hook {
    counted: bool,
    copy: usize,
}

impl Hook {
    /// Takes the debt from the fuel.
    fn settle<T: Metered>(&self, store: &mut StoreContextMut<'_, T>) -> wasmtime::Result<()> {
        let owed = store.data().meter().take();
        if !self.counted {
            return Ok(());
        }
        match store.get_fuel()?.checked_sub(owed) {
            Some(left) if left > 0 => store.set_fuel(left),
            _ => {
                store.set_fuel(0)?;
                Err(Trap::OutOfFuel.into())
            }
        }
    }
}

type Step<'a> = Pin<Box<dyn Future<Output = wasmtime::Result<()>> + Send + 'a>>;

/// A ready future. Has no size, so that boxing it costs nothing.
struct Done;

impl Future for Done {
    type Output = wasmtime::Result<()>;

    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Self::Output> {
        Poll::Ready(Ok(()))
    }
}

impl<T: Metered> CallHookHandler<T> for Hook {
    fn handle_call_event<'hook, 'store, 'step>(
        &'hook self,
        mut store: StoreContextMut<'store, T>,
        event: CallHook,
    ) -> Step<'step>
    where
        'hook: 'step,
        'store: 'step,
    {
        let is_return = matches!(event, CallHook::ReturningFromHost);
        match event {
            CallHook::CallingHost => {
                let pace = store.data_mut().pace();
                pace.depth = pace.depth.saturating_add(1);
                store.set_hostcall_fuel(self.copy);
                return Box::pin(Done);
            }
            CallHook::ReturningFromWasm => {
                store.set_hostcall_fuel(RESULT_COPY);
                return Box::pin(Done);
            }
            // Instances may have been created, or memories have grown.
            CallHook::CallingWasm | CallHook::ReturningFromHost => {}
        }
        let new = take_new_pages();
        if !is_return && new.is_empty() {
            return Box::pin(Done);
        }
        let state = store.data_mut();
        let settles = is_return && state.pace().leave() && state.meter().owed() >= SETTLE;
        if !settles && new.is_empty() && !state.pace().coarse_moved() {
            return Box::pin(Done);
        }
        if settles && let Err(error) = self.settle(&mut store) {
            return Box::pin(std::future::ready(Err(error)));
        }
        if !new.is_empty() {
            return Box::pin(populate(store, new));
        }
        if store.data_mut().pace().resumed.elapsed() < TURN {
            return Box::pin(Done);
        }
        Box::pin(async move {
            tokio::task::yield_now().await;
            store.data_mut().pace().resumed = Instant::now();
            Ok(())
        })
    }
}
