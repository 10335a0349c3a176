//! Pre-initialisation: in which state does every instance of a guest start?
//!
//! Its initialisation runs here, once, and the memory and globals that it leaves become those that
//! every instance starts with.

use super::component::{REACTOR, plain};
use super::heap_layout::{AllocationLog, LayoutRequest, Plan, plan_layout};
use anyhow::{Context as _, Result, ensure};
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use wasmtime::{Config, Engine, Instance, Linker, Module, Store, Val};
use wasmtime_wizer::{InstanceState, SnapshotVal, ValType, Wizer};

/// Stack for the initialisation, in bytes.
const STACK_BYTES: usize = 8 << 20;

/// Runs the exported function `initialise` and gives the module in the state that it leaves. No
/// import may be called. The guest's allocator lays its heap out by the plan, where there is one.
///
/// # Errors
///
/// Where the module does not export the function, traps, does not follow the plan, or is not of the
/// shape that an image needs.
pub(super) fn preinitialise(
    module: &[u8],
    initialise: &str,
    plan: Option<&Plan>,
) -> Result<Vec<u8>> {
    let mut wizer = Wizer::new();
    wizer.init_func(initialise);
    let (context, instrumented) = wizer.instrument(module).map_err(plain)?;
    let mut config = Config::new();
    config
        .max_wasm_stack(STACK_BYTES)
        .async_stack_size(2 * STACK_BYTES);
    let engine = Engine::new(&config).map_err(plain)?;
    let compiled = Module::new(&engine, &instrumented).map_err(plain)?;
    let mut linker: Linker<()> = Linker::new(&engine);
    linker
        .define_unknown_imports_as_traps(&compiled)
        .map_err(plain)?;
    let mut store = Store::new(&engine, ());
    let instance = linker.instantiate(&mut store, &compiled).map_err(plain)?;
    for function in [REACTOR, initialise] {
        if let Some(plan) = plan.filter(|_| function == initialise) {
            let request = LayoutRequest {
                max_calls: u32::try_from(plan.places.len())?,
                regions: plan.regions,
                log: AllocationLog::Discard,
            };
            let places = plan_layout(&mut store, &instance, request)?;
            let memory = instance
                .get_memory(&mut store, "memory")
                .context("the guest exports no memory")?;
            memory.write(&mut store, places as usize, &plan.places)?;
        }
        let result = instance
            .get_typed_func::<(), ()>(&mut store, function)
            .and_then(|function| function.call(&mut store, ()));
        if let Err(error) = result {
            let words = words(&mut store, &instance).unwrap_or_default();
            return Err(plain(error)).with_context(|| {
                format!("`{function}` failed while the guest was being initialised: {words}")
            });
        }
    }
    if let Some(plan) = plan {
        let calls = instance
            .get_typed_func::<(), u32>(&mut store, "layout-calls")
            .and_then(|calls| calls.call(&mut store, ()));
        let calls = calls.map_err(plain)? as usize;
        ensure!(
            calls == plan.places.len(),
            "`{initialise}` allocated {calls} times, not {} as before",
            plan.places.len()
        );
    }
    let mut state = State {
        store,
        instance,
        problem: None,
    };
    let snapshot = ready(wizer.snapshot(&context, &mut state));
    ensure!(
        state.problem.is_none(),
        "cannot take the state of the guest: {}",
        state.problem.unwrap_or_default()
    );
    snapshot?.map_err(plain)
}

/// Runs the exported function `initialise` and gives the bytes that the module then has at
/// `place`, as many as `length` says: both are exported functions.
///
/// # Errors
///
/// As [`preinitialise`].
pub(super) fn bytes_after(
    module: &[u8],
    initialise: &str,
    [place, length]: [&str; 2],
) -> Result<Vec<u8>> {
    let mut config = Config::new();
    config
        .max_wasm_stack(STACK_BYTES)
        .async_stack_size(2 * STACK_BYTES);
    let engine = Engine::new(&config).map_err(plain)?;
    let compiled = Module::new(&engine, module).map_err(plain)?;
    let mut linker: Linker<()> = Linker::new(&engine);
    linker
        .define_unknown_imports_as_traps(&compiled)
        .map_err(plain)?;
    let mut store = Store::new(&engine, ());
    let instance = linker.instantiate(&mut store, &compiled).map_err(plain)?;
    for function in [REACTOR, initialise] {
        let result = instance
            .get_typed_func::<(), ()>(&mut store, function)
            .and_then(|function| function.call(&mut store, ()));
        if let Err(error) = result {
            let words = words(&mut store, &instance).unwrap_or_default();
            return Err(plain(error)).with_context(|| format!("`{function}` failed: {words}"));
        }
    }
    let mut number = |name| -> Result<usize> {
        let function = instance
            .get_typed_func::<(), u32>(&mut store, name)
            .map_err(plain)?;
        Ok(function.call(&mut store, ()).map_err(plain)? as usize)
    };
    let (place, length) = (number(place)?, number(length)?);
    let memory = instance
        .get_memory(&mut store, "memory")
        .context("the guest exports no memory")?;
    let bytes = memory.data(&store).get(place..place + length);
    Ok(bytes
        .context("the guest gave a place outside of its memory")?
        .to_owned())
}

/// Returns the message of a guest about its failure: the text behind the pointer that its export
/// `failure` returns, ended by a zero.
fn words(store: &mut Store<()>, instance: &Instance) -> Option<String> {
    let failure = instance
        .get_typed_func::<(), i32>(&mut *store, "failure")
        .ok()?;
    let place = usize::try_from(failure.call(&mut *store, ()).ok()?).ok()?;
    let memory = instance.get_memory(&mut *store, "memory")?;
    let text = memory
        .data(&*store)
        .get(place..)?
        .split(|byte| *byte == 0)
        .next()?;
    Some(String::from_utf8_lossy(text).into_owned())
}

/// Nothing in the snapshot waits, so the first poll has the result.
fn ready<T>(future: impl Future<Output = T>) -> Result<T> {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => Ok(value),
        Poll::Pending => anyhow::bail!("taking the state of a guest did not end at once"),
    }
}

/// The instance whose state is taken. The trait cannot report a failure, so that is kept aside.
struct State {
    store: Store<()>,
    instance: Instance,
    problem: Option<String>,
}

impl InstanceState for State {
    async fn global_get(&mut self, name: &str, _: ValType) -> SnapshotVal {
        let value = self
            .instance
            .get_global(&mut self.store, name)
            .map(|global| global.get(&mut self.store));
        match value {
            Some(Val::I32(value)) => SnapshotVal::I32(value),
            Some(Val::I64(value)) => SnapshotVal::I64(value),
            Some(Val::F32(value)) => SnapshotVal::F32(value),
            Some(Val::F64(value)) => SnapshotVal::F64(value),
            Some(Val::V128(value)) => SnapshotVal::V128(value.as_u128()),
            other => {
                self.problem = Some(format!("global `{name}` holds {other:?}"));
                SnapshotVal::I32(0)
            }
        }
    }

    async fn memory_contents(&mut self, name: &str, contents: impl FnOnce(&[u8]) + Send) {
        match self.instance.get_memory(&mut self.store, name) {
            Some(memory) => contents(memory.data(&self.store)),
            None => self.problem = Some(format!("there is no memory `{name}`")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::build::image::strip;

    const MODULE: &str = r#"(module
        (import "host" "never" (func $never))
        (memory (export "memory") 1)
        (global $stack (mut i32) (i32.const 7))
        (data (i32.const 8) "early")
        (func (export "_initialize") (i32.store8 (i32.const 0) (i32.const 65)))
        (func (export "start") (global.set $stack (i32.const 9)) (drop (memory.grow (i32.const 1)))
            (i32.store8 (i32.const 65536) (i32.const 66)))
        (data (i32.const 32) "no host here\\00")
        (func (export "failure") (result i32) (i32.const 32))
        (func (export "bad") (call $never))
        (func (export "stack") (result i32) (global.get $stack)))"#;

    #[test]
    fn memory_and_globals_are_what_the_initialisation_left() {
        let snapshot = preinitialise(&wat::parse_str(MODULE).unwrap(), "start", None).unwrap();
        let stripped = strip(&snapshot, 0, |_| true).unwrap();
        assert_eq!(
            stripped.image.len(),
            2 * 65536,
            "the image is as long as the memory has become"
        );
        assert_eq!(&stripped.image[..16], b"A\0\0\0\0\0\0\0early\0\0\0");
        assert_eq!(stripped.image[65536], 66);
        let engine = Engine::default();
        let module = Module::new(&engine, &stripped.module).unwrap();
        let mut linker = Linker::new(&engine);
        linker.define_unknown_imports_as_traps(&module).unwrap();
        let mut store = Store::new(&engine, ());
        let instance = linker.instantiate(&mut store, &module).unwrap();
        let stack = instance
            .get_typed_func::<(), i32>(&mut store, "stack")
            .unwrap();
        assert_eq!(stack.call(&mut store, ()).unwrap(), 9);
        let memory = instance.get_memory(&mut store, "memory").unwrap();
        assert!(
            memory.data(&store).iter().all(|byte| *byte == 0),
            "the code brings no memory along"
        );
        assert_eq!(memory.size(&store), 2);
    }

    #[test]
    fn an_initialisation_that_asks_the_host_fails() {
        let error = preinitialise(&wat::parse_str(MODULE).unwrap(), "bad", None)
            .err()
            .unwrap();
        assert!(
            format!("{error:#}")
                .contains("`bad` failed while the guest was being initialised: no host here"),
            "{error:#}"
        );
    }
}
