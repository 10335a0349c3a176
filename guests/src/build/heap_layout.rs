//! Heap layout: which blocks of an initialised heap lie together?
//!
//! Those that programs write to. They are few, if only to count references, but they lie scattered,
//! and every page with one of them is a page that the runtime restores after a run. So a guest is
//! initialised twice. The first time programs are observed and the blocks noted that they change;
//! the second time the guest's allocator puts those blocks together.

use super::component::{REACTOR, plain};
use anyhow::{Context as _, Result, ensure};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use wasmtime::{
    Config, Engine, Instance, Linker, Memory, Module, Store, UpdateDeadline, Val, WasmBacktrace,
};

/// Stack for the guest, in bytes.
const STACK_BYTES: usize = 8 << 20;

/// Calls of the allocator that a first initialisation may make.
const MAX_CALLS: u32 = 1 << 21;

/// Larger blocks stay where they are: programs write to a part of them.
const MAX_BLOCK: usize = 4096;

/// Function entries and loop ends of a program that ends.
const MAX_PASSED: u32 = 1 << 26;

/// Bytes of an allocator's header, which is in front of a block.
const HEADER_BYTES: usize = 8;

/// The exported function that evaluates.
const EVALUATE: &str = "glovebox:guest/interpreter@0.1.0#evaluate";

/// The places of the blocks of one initialisation.
pub(super) struct Plan {
    /// For each call of the allocator: 0 anywhere, 1 and 2 in the region of that number.
    pub(super) places: Vec<u8>,
    /// Bytes of each region.
    pub(super) regions: [u32; 2],
    /// The functions of the module that ran, in the order in which they first did.
    pub(super) functions: Vec<u32>,
}

/// A program that is watched.
pub(super) struct Program<'a> {
    pub(super) language: &'a str,
    pub(super) text: &'a str,
    /// The region for what it is the first to write to.
    pub(super) region: u8,
    /// Memory is looked at whenever the guest has passed this many function entries and loop ends.
    pub(super) stride: u32,
}

/// Initialises by the exported function `initialise`, runs the programs one after the other, each
/// in the memory that the initialisation left, and says where the blocks should go.
///
/// # Errors
///
/// Where the guest traps, or its allocator does not keep the log that is expected of it.
pub(super) fn observe(module: &[u8], initialise: &str, programs: &[Program<'_>]) -> Result<Plan> {
    let mut config = Config::new();
    config
        .max_wasm_stack(STACK_BYTES)
        .async_stack_size(2 * STACK_BYTES)
        .epoch_interruption(true);
    let engine = Engine::new(&config).map_err(plain)?;
    let compiled = Module::new(&engine, module).map_err(plain)?;
    let mut store = Store::new(&engine, ());
    store.set_epoch_deadline(u64::MAX / 2);
    let mut linker: Linker<()> = Linker::new(&engine);
    // Nothing that the programs ask the host for matters here: zeroes are a success without a
    // result.
    linker
        .define_unknown_imports_as_default_values(&mut store, &compiled)
        .map_err(plain)?;
    let instance = linker.instantiate(&mut store, &compiled).map_err(plain)?;
    let memory = instance
        .get_memory(&mut store, "memory")
        .context("the guest exports no memory")?;
    call_plain(&mut store, &instance, REACTOR)?;
    let request = LayoutRequest {
        max_calls: MAX_CALLS,
        regions: [0, 0],
        log: AllocationLog::Keep,
    };
    let places = plan_layout(&mut store, &instance, request)?;
    call_plain(&mut store, &instance, initialise)?;
    let watch = Arc::new(Watch::new(&mut store, &instance, memory, places)?);
    let mut written_by = vec![0; watch.blocks.len()];
    for program in programs {
        memory.write(&mut store, 0, &watch.pristine)?;
        run(&mut store, &instance, memory, program, &watch)?;
        let written = watch.written.lock().unwrap_or_else(PoisonError::into_inner);
        for (region, _) in written_by
            .iter_mut()
            .zip(written.iter())
            .filter(|(region, is_written)| **region == 0 && **is_written)
        {
            *region = program.region;
        }
    }
    watch.plan(&written_by)
}

/// Whether the guest's allocator logs the blocks that it hands out.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum AllocationLog {
    Keep,
    Discard,
}

/// The layout that the guest's allocator prepares for.
pub(super) struct LayoutRequest {
    /// Maximum calls of the allocator.
    pub(super) max_calls: u32,
    /// Bytes of each region.
    pub(super) regions: [u32; 2],
    pub(super) log: AllocationLog,
}

/// Prepares the guest's allocator for a layout; returns the address of its array of places.
pub(super) fn plan_layout<T>(
    store: &mut Store<T>,
    instance: &Instance,
    request: LayoutRequest,
) -> Result<u32> {
    let [first, second] = request.regions;
    let is_logged = request.log == AllocationLog::Keep;
    let function = instance
        .get_typed_func::<(u32, u32, u32, i32), u32>(&mut *store, "plan-layout")
        .map_err(plain)?;
    function
        .call(
            store,
            (request.max_calls, first, second, i32::from(is_logged)),
        )
        .map_err(plain)
}

fn call_plain(store: &mut Store<()>, instance: &Instance, name: &str) -> Result<()> {
    instance
        .get_typed_func::<(), ()>(&mut *store, name)
        .and_then(|function| function.call(&mut *store, ()))
        .map_err(plain)
}

fn run(
    store: &mut Store<()>,
    instance: &Instance,
    memory: Memory,
    program: &Program<'_>,
    watch: &Arc<Watch>,
) -> Result<()> {
    let allocate = instance
        .get_typed_func::<(u32, u32, u32, u32), u32>(&mut *store, "cabi_realloc")
        .map_err(plain)?;
    let mut arguments = Vec::new();
    for text in ["main", program.language, program.text] {
        let length = u32::try_from(text.len())?;
        let address = allocate
            .call(&mut *store, (0, 0, 1, length))
            .map_err(plain)?;
        memory.write(&mut *store, address as usize, text.as_bytes())?;
        arguments.extend([
            Val::I32(address.cast_signed()),
            Val::I32(length.cast_signed()),
        ]);
    }
    // No arguments, no environment, a seed, and nothing follows.
    arguments.extend([
        Val::I32(0),
        Val::I32(0),
        Val::I32(0),
        Val::I32(0),
        Val::I32(1),
        Val::I64(1),
        Val::I32(1),
    ]);
    let evaluate = instance
        .get_func(&mut *store, EVALUATE)
        .context("the guest does not evaluate")?;
    let watcher = Arc::clone(watch);
    let (stride, mut passed) = (program.stride, 0);
    store.epoch_deadline_callback(move |context| {
        passed += 1;
        if passed > MAX_PASSED {
            wasmtime::bail!("the program does not end");
        }
        if passed % stride == 0 {
            watcher.look(memory.data(&context));
            watcher.note_function(&WasmBacktrace::capture(&context));
        }
        Ok(UpdateDeadline::Continue(0))
    });
    store.set_epoch_deadline(0);
    let mut completion = [Val::I32(0)];
    let result = evaluate
        .call(&mut *store, &arguments, &mut completion)
        .map_err(plain);
    watch.look(memory.data(&*store));
    store.set_epoch_deadline(u64::MAX / 2);
    let done = completion
        .first()
        .and_then(Val::i32)
        .context("no completion")?
        .cast_unsigned() as usize;
    ensure!(
        result.is_ok() && memory.data(&*store).get(done) == Some(&0),
        "a program of the build failed inside the guest: {result:?}"
    );
    Ok(())
}

/// The state that is observed while a program runs.
struct Watch {
    pristine: Vec<u8>,
    /// The live blocks, headers included: start, end, and the number of the call that made them.
    blocks: Vec<(usize, usize, usize)>,
    calls: usize,
    /// For each block whether it was seen changed.
    written: Mutex<Vec<bool>>,
    /// The functions that were seen running.
    functions: Mutex<Vec<u32>>,
}

impl Watch {
    fn new(
        store: &mut Store<()>,
        instance: &Instance,
        memory: Memory,
        places: u32,
    ) -> Result<Self> {
        let mut number = |name| -> Result<usize> {
            let function = instance
                .get_typed_func::<(), u32>(&mut *store, name)
                .map_err(plain)?;
            Ok(function.call(&mut *store, ()).map_err(plain)? as usize)
        };
        let (calls, log) = (number("layout-calls")?, number("layout-log")?);
        ensure!(
            calls <= MAX_CALLS as usize,
            "the initialisation allocates {calls} times, which is more than expected"
        );
        let pristine = memory.data(&*store).to_vec();
        let word = |at: usize| -> Option<usize> {
            let bytes = pristine.get(at..at + 4)?;
            Some(u32::from_le_bytes(bytes.try_into().ok()?) as usize)
        };
        // A place may have been given out more than once; the last call owns it.
        let made_by: HashMap<usize, usize> = (0..calls)
            .filter_map(|call| Some((word(log + 4 * call)?, call)))
            .collect();
        let mut blocks = Vec::new();
        let mut start = places as usize - HEADER_BYTES;
        while let Some(size) = word(start + 4).filter(|size| *size > 0) {
            let end = start + HEADER_BYTES + (size & !1);
            if let Some(call) = made_by.get(&(start + HEADER_BYTES))
                && size & 1 == 0
            {
                blocks.push((start, end, *call));
            }
            start = end;
        }
        ensure!(
            start + HEADER_BYTES == pristine.len(),
            "the heap of the guest is not one row of blocks"
        );
        let written = Mutex::new(vec![false; blocks.len()]);
        Ok(Self {
            pristine,
            blocks,
            calls,
            written,
            functions: Mutex::default(),
        })
    }

    /// Notes the blocks that are no longer what they were.
    fn look(&self, memory: &[u8]) {
        const PAGE: usize = 4096;
        let mut written = self.written.lock().unwrap_or_else(PoisonError::into_inner);
        for (index, (now, before)) in memory
            .chunks(PAGE)
            .zip(self.pristine.chunks(PAGE))
            .enumerate()
        {
            if now == before {
                continue;
            }
            let page = index * PAGE..(index + 1) * PAGE;
            let first = self.blocks.partition_point(|block| block.1 <= page.start);
            let blocks = self.blocks.iter().zip(written.iter_mut()).skip(first);
            for ((start, end, _), is_written) in blocks.take_while(|(block, _)| block.0 < page.end)
            {
                let range = (*start).max(page.start)..(*end).min(page.end);
                *is_written = *is_written || memory.get(range.clone()) != self.pristine.get(range);
            }
        }
    }

    fn note_function(&self, backtrace: &WasmBacktrace) {
        let mut functions = self
            .functions
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(frame) = backtrace.frames().first()
            && !functions.contains(&frame.func_index())
        {
            functions.push(frame.func_index());
        }
    }

    fn plan(&self, written_by: &[u8]) -> Result<Plan> {
        let mut places = vec![0; self.calls];
        let mut regions = [0; 2];
        for ((start, end, call), region) in self.blocks.iter().zip(written_by) {
            let size = end - start;
            if *region == 0 || size > MAX_BLOCK {
                continue;
            }
            *places.get_mut(*call).context("a block without a call")? = *region;
            *regions
                .get_mut(usize::from(*region) - 1)
                .context("a region that does not exist")? += u32::try_from(size)?;
        }
        // Room for the header of what is left over.
        let functions = self
            .functions
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        Ok(Plan {
            places,
            regions: regions.map(|bytes| bytes + 64),
            functions,
        })
    }
}
