//! Host state of an instance (WASI linker): which host functions does it reach?
//!
//! Standard streams, clocks, random numbers and polling are the engine's own WASI implementation
//! over our streams and clocks; files are ours; sockets are linked so that libraries load, and
//! refuse everything.

mod io;
mod lookup;
mod random;

use crate::account::RunMemory;
use crate::clock::GuestClock;
use crate::contract;
use crate::filesystem::{self, Filesystem, FilesystemView};
use crate::host::calls::HostCalls;
use crate::host::wit::GuestCalls;
use crate::limiter::Limiter;
use crate::meter::{self, Meter, Metered, Pace};
use crate::stdio::{GuestInput, Outputs, StreamName};
use crate::wakeup::WakeUp;
use std::sync::Arc;
use wasmtime::Engine;
use wasmtime::component::{HasSelf, Linker, ResourceTable};
use wasmtime_wasi::cli::{WasiCli, WasiCliView as _};
use wasmtime_wasi::clocks::{WasiClocks, WasiClocksView as _};
use wasmtime_wasi::random::WasiRandom;
use wasmtime_wasi::sockets::{WasiSockets, WasiSocketsView as _};
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};

/// Handles that a guest may hold, of all kinds together; protects the host's memory.
const MAX_HANDLES: usize = 1 << 16;

/// The host's state of one instance.
pub(crate) struct RunState {
    table: ResourceTable,
    wasi: WasiCtx,
    random: random::Generators,
    /// The price of handing over the environment and the arguments.
    environment_price: u64,
    pub(crate) files: Filesystem,
    pub(crate) limiter: Limiter,
    pub(crate) calls: GuestCalls,
    pub(crate) meter: Meter,
    pub(crate) pace: Pace,
    pub(crate) memory: RunMemory,
    pub(crate) wake_up: WakeUp,
}

/// The parts that a [`RunState`] is made of.
pub(crate) struct StoreParts<'a> {
    pub(crate) outputs: &'a Outputs,
    pub(crate) input: GuestInput,
    pub(crate) clock: GuestClock,
    pub(crate) seed: Option<u64>,
    pub(crate) arguments: &'a [String],
    pub(crate) environment: &'a [(String, String)],
    pub(crate) files: Filesystem,
    pub(crate) limiter: Limiter,
    pub(crate) calls: Arc<HostCalls>,
    pub(crate) memory: RunMemory,
}

impl RunState {
    pub(crate) fn new(parts: StoreParts<'_>) -> Self {
        let mut wasi = WasiCtx::builder();
        wasi.stdin(parts.input)
            .stdout(parts.outputs.stream(StreamName::Stdout))
            .stderr(parts.outputs.stream(StreamName::Stderr))
            .args(parts.arguments)
            .envs(parts.environment)
            .wall_clock(parts.clock)
            .monotonic_clock(parts.clock)
            // Even a refused socket would be one of the host's.
            .allow_tcp(false)
            .allow_udp(false)
            .allow_ip_name_lookup(false);
        if let Some(seed) = parts.seed {
            wasi.insecure_random_seed(u128::from(seed));
        }
        let mut table = ResourceTable::new();
        table.set_max_capacity(MAX_HANDLES);
        let texts = parts
            .environment
            .iter()
            .flat_map(|(name, value)| [name, value])
            .chain(parts.arguments);
        let environment_price = texts
            .map(|text| meter::STRING.saturating_add(meter::text(text.len())))
            .fold(0, u64::saturating_add);
        let meter = parts.files.meter().clone();
        let wake_up = WakeUp::default();
        Self {
            table,
            wasi: wasi.build(),
            random: random::Generators::new(parts.seed),
            environment_price,
            files: parts.files,
            limiter: parts.limiter,
            calls: GuestCalls::new(
                parts.calls,
                parts.outputs.clone(),
                (meter.clone(), wake_up.clone()),
            ),
            meter,
            pace: Pace::new(),
            memory: parts.memory,
            wake_up,
        }
    }

    /// Starts an import: every one goes through here, is priced, and settles its debt when it
    /// returns.
    fn priced(&mut self) -> &mut Self {
        self.pace.enter();
        self.meter.charge(meter::CALL);
        self
    }

    fn priced_environment(&mut self) -> &mut Self {
        self.meter.charge(self.environment_price);
        self.priced()
    }

    fn priced_io(&mut self) -> io::Io<'_> {
        let state = self.priced();
        io::Io {
            table: &mut state.table,
            meter: &state.meter,
            wake_up: &state.wake_up,
        }
    }

    fn priced_random(&mut self) -> random::Random<'_> {
        let state = self.priced();
        random::Random {
            generators: &mut state.random,
            meter: &state.meter,
        }
    }

    fn priced_lookup(&mut self) -> lookup::Lookup<'_> {
        let state = self.priced();
        lookup::Lookup {
            meter: state.meter.clone(),
            sockets: state.sockets(),
        }
    }

    fn priced_files(&mut self) -> FilesystemView<'_> {
        let state = self.priced();
        FilesystemView {
            filesystem: &mut state.files,
            table: &mut state.table,
        }
    }
}

impl Metered for RunState {
    fn meter(&self) -> &Meter {
        &self.meter
    }

    fn pace(&mut self) -> &mut Pace {
        &mut self.pace
    }
}

impl WasiView for RunState {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView {
            ctx: &mut self.wasi,
            table: &mut self.table,
        }
    }
}

/// Returns a linker with everything that a WASI 0.2 program may import.
pub(crate) fn wasi_linker(engine: &Engine) -> wasmtime::Result<Linker<RunState>> {
    use wasmtime_wasi::p2::bindings::{cli, clocks, random as wasi_random, sockets};
    use wasmtime_wasi_io::bindings::wasi::io as interfaces;
    type State = RunState;

    let mut linker = Linker::new(engine);
    let l = &mut linker;
    interfaces::error::add_to_linker::<State, io::HasIo>(l, State::priced_io)?;
    interfaces::poll::add_to_linker::<State, io::HasIo>(l, State::priced_io)?;
    interfaces::streams::add_to_linker::<State, io::HasIo>(l, State::priced_io)?;
    clocks::wall_clock::add_to_linker::<State, WasiClocks>(l, |state| state.priced().clocks())?;
    clocks::monotonic_clock::add_to_linker::<State, WasiClocks>(l, |state| {
        state.priced().clocks()
    })?;
    wasi_random::random::add_to_linker::<State, random::HasRandom>(l, State::priced_random)?;
    wasi_random::insecure::add_to_linker::<State, random::HasRandom>(l, State::priced_random)?;
    wasi_random::insecure_seed::add_to_linker::<State, WasiRandom>(l, |state| {
        state.priced().wasi.random()
    })?;
    cli::exit::add_to_linker::<State, WasiCli>(l, |state| state.priced().cli())?;
    cli::environment::add_to_linker::<State, WasiCli>(l, |state| state.priced_environment().cli())?;
    cli::stdin::add_to_linker::<State, WasiCli>(l, |state| state.priced().cli())?;
    cli::stdout::add_to_linker::<State, WasiCli>(l, |state| state.priced().cli())?;
    cli::stderr::add_to_linker::<State, WasiCli>(l, |state| state.priced().cli())?;
    cli::terminal_input::add_to_linker::<State, WasiCli>(l, |state| state.priced().cli())?;
    cli::terminal_output::add_to_linker::<State, WasiCli>(l, |state| state.priced().cli())?;
    cli::terminal_stdin::add_to_linker::<State, WasiCli>(l, |state| state.priced().cli())?;
    cli::terminal_stdout::add_to_linker::<State, WasiCli>(l, |state| state.priced().cli())?;
    cli::terminal_stderr::add_to_linker::<State, WasiCli>(l, |state| state.priced().cli())?;
    sockets::tcp::add_to_linker::<State, WasiSockets>(l, |state| state.priced().sockets())?;
    sockets::tcp_create_socket::add_to_linker::<State, WasiSockets>(l, |state| {
        state.priced().sockets()
    })?;
    sockets::udp::add_to_linker::<State, WasiSockets>(l, |state| state.priced().sockets())?;
    sockets::udp_create_socket::add_to_linker::<State, WasiSockets>(l, |state| {
        state.priced().sockets()
    })?;
    sockets::instance_network::add_to_linker::<State, WasiSockets>(l, |state| {
        state.priced().sockets()
    })?;
    let options = sockets::network::LinkOptions::default();
    sockets::network::add_to_linker::<State, WasiSockets>(l, &options, |state| {
        state.priced().sockets()
    })?;
    sockets::ip_name_lookup::add_to_linker::<State, lookup::HasLookup>(l, State::priced_lookup)?;
    filesystem::add_to_linker(l, State::priced_files)?;
    Ok(linker)
}

/// Returns that linker with the host interface of the guest contract.
pub(crate) fn guest_linker(engine: &Engine) -> wasmtime::Result<Linker<RunState>> {
    let mut linker = wasi_linker(engine)?;
    contract::glovebox::guest::host::add_to_linker::<RunState, HasSelf<GuestCalls>>(
        &mut linker,
        |state| &mut state.priced().calls,
    )?;
    Ok(linker)
}

#[cfg(test)]
mod tests {
    /// Tests that every linked interface is priced: a guest could otherwise call it for ever.
    #[test]
    fn every_linked_interface_is_priced() {
        let source = include_str!("state.rs");
        let (code, _) = source.split_once("#[cfg(test)]").unwrap();
        let linked: Vec<&str> = code
            .split(';')
            .filter(|statement| statement.contains("add_to_linker"))
            .collect();
        assert!(linked.len() > 20, "{linked:?}");
        for line in linked {
            assert!(line.contains("priced"), "{line}");
        }
    }
}
