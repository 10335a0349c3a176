//! Wasmtime engine configuration: with which settings is guest code compiled and run?
//!
//! One engine per metering mode and stack size exists in a process; all sandboxes share it, and
//! with it the compiled guests.

use crate::memory::{GuestMemory, GuestStacks};
use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};
use wasmtime::{Config, Engine, OperatorCost};

/// The mode by which the CPU time of a run is limited.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Metering {
    /// Counts every instruction. The same program uses the same fuel on every machine, however
    /// busy.
    #[default]
    Fuel,
    /// Interrupts the run by a timer (epoch interruption): faster on some code, but a run can then
    /// only be limited by time.
    Epoch,
    /// Neither counts nor interrupts: a loop runs until it ends, whatever the grant says. For
    /// measuring the cost of metering with trusted programs; never for untrusted code.
    Unmetered,
}

impl Metering {
    /// Returns the name that the command line and the cache use.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Fuel => "fuel",
            Self::Epoch => "epoch",
            Self::Unmetered => "unmetered",
        }
    }
}

/// Stack for host functions beyond the guest's own. A guest may be at the very end of its stack
/// when it makes a host call, and an overflow there would abort the process.
const HOST_STACK_BYTES: usize = 2 << 20;

/// Smallest and largest stack of a guest in bytes. Grants are rounded down to a power of two
/// between them, so that a process has a handful of engines at the most.
pub(crate) const STACK_BYTES: std::ops::RangeInclusive<usize> = (512 << 10)..=(64 << 20);

/// The period of epoch ticks in milliseconds: epoch-metered guests yield at each.
pub(crate) const EPOCH_TICK_MS: u64 = 5;

/// Returns the shared engine for a metering mode and a stack of at most `stack` bytes.
pub(crate) fn engine(metering: Metering, stack: u64) -> wasmtime::Result<Engine> {
    static ENGINES: LazyLock<Mutex<HashMap<(Metering, usize), Engine>>> =
        LazyLock::new(Mutex::default);
    let stack = stack_class(stack);
    let mut engines = ENGINES.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(engine) = engines.get(&(metering, stack)) {
        return Ok(engine.clone());
    }
    let engine = Engine::new(&config(metering, stack))?;
    if metering == Metering::Epoch {
        tick(&engine);
    }
    engines.insert((metering, stack), engine.clone());
    Ok(engine)
}

/// Returns an engine with the same settings, for a process that only compiles, on one thread.
pub(crate) fn for_compiling(metering: Metering, stack: u64) -> wasmtime::Result<Engine> {
    Engine::new(config(metering, stack_class(stack)).parallel_compilation(false))
}

/// Returns the stack size for a grant of `granted` bytes.
pub(crate) fn stack_class(granted: u64) -> usize {
    let granted = usize::try_from(granted)
        .unwrap_or(usize::MAX)
        .clamp(*STACK_BYTES.start(), *STACK_BYTES.end());
    1 << granted.ilog2()
}

fn config(metering: Metering, stack: usize) -> Config {
    let mut config = Config::new();
    config
        .wasm_component_model(true)
        // Proposals that no guest needs are attack surface.
        .wasm_memory64(false)
        .wasm_multi_memory(false)
        .wasm_relaxed_simd(false)
        .wasm_wide_arithmetic(false)
        .wasm_custom_page_sizes(false)
        .wasm_backtrace_max_frames(None)
        .generate_address_map(false)
        .native_unwind_info(false)
        .max_wasm_stack(stack)
        .async_stack_size(stack + HOST_STACK_BYTES)
        .with_host_memory(Arc::new(GuestMemory))
        .with_host_stack(Arc::new(GuestStacks::default()))
        .memory_init_cow(false);
    match metering {
        // Bulk operations are priced by the byte: otherwise one instruction can fill a gigabyte for
        // one unit of fuel.
        Metering::Fuel => config.consume_fuel(true).operator_cost(OperatorCost::new()),
        Metering::Epoch => config.epoch_interruption(true),
        Metering::Unmetered => &mut config,
    };
    config
}

/// Advances the engine's epoch until the engine is gone.
fn tick(engine: &Engine) {
    let weak = engine.weak();
    std::thread::spawn(move || {
        while let Some(engine) = weak.upgrade() {
            engine.increment_epoch();
            drop(engine);
            std::thread::sleep(std::time::Duration::from_millis(EPOCH_TICK_MS));
        }
    });
}
