//! What does an instance reach of the host, and through which functions?
//!
//! Standard streams, clocks, random numbers and polling are the engine's own WASI implementation over our streams and clocks; files are
//! ours; sockets are there so that libraries link, and refuse everything.

use crate::clock::GuestClock;
use crate::filesystem::{self, Filesystem, FilesystemView};
use crate::host_calls::HostCalls;
use crate::limiter::Limiter;
use crate::stdio::{GuestInput, Outputs, StreamName};
use rand::SeedableRng as _;
use wasmtime::Engine;
use wasmtime::component::{HasSelf, Linker, ResourceTable};
use wasmtime_wasi::cli::{WasiCli, WasiCliView as _};
use wasmtime_wasi::clocks::{WasiClocks, WasiClocksView as _};
use wasmtime_wasi::random::WasiRandom;
use wasmtime_wasi::sockets::{WasiSockets, WasiSocketsView as _};
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};

/// The guest contract as Rust types.
pub(crate) mod bindings {

    wasmtime::component::bindgen!({
        path: "../guests/wit/guest.wit",
        world: "guest",
        imports: { default: async | trappable },
        exports: { default: async },
    });
}

/// Random bytes that a guest may ask for at once; protects the host's memory.
const MAX_RANDOM_BYTES: u64 = 1 << 20;

/// What belongs to one instance on the host's side.
pub(crate) struct RunState {
    table: ResourceTable,
    wasi: WasiCtx,
    pub(crate) files: Filesystem,
    pub(crate) limiter: Limiter,
    pub(crate) calls: HostCalls,
}

/// The parts that a [`RunState`] is made of.
pub(crate) struct Parts<'a> {
    pub(crate) outputs: &'a Outputs,
    pub(crate) input: GuestInput,
    pub(crate) clock: GuestClock,
    pub(crate) seed: Option<u64>,
    pub(crate) arguments: &'a [String],
    pub(crate) environment: &'a [(String, String)],
    pub(crate) files: Filesystem,
    pub(crate) limiter: Limiter,
    pub(crate) calls: HostCalls,
}

impl RunState {
    pub(crate) fn new(parts: Parts<'_>) -> Self {
        let mut wasi = WasiCtx::builder();
        wasi.stdin(parts.input)
            .stdout(parts.outputs.stream(StreamName::Stdout))
            .stderr(parts.outputs.stream(StreamName::Stderr))
            .args(parts.arguments)
            .envs(parts.environment)
            .wall_clock(parts.clock)
            .monotonic_clock(parts.clock)
            .max_random_size(MAX_RANDOM_BYTES);
        if let Some(seed) = parts.seed {
            wasi.secure_random(rand::rngs::StdRng::seed_from_u64(seed))
                .insecure_random(rand::rngs::StdRng::seed_from_u64(seed ^ 1))
                .insecure_random_seed(u128::from(seed));
        }
        Self { table: ResourceTable::new(), wasi: wasi.build(), files: parts.files, limiter: parts.limiter, calls: parts.calls }
    }
}

impl WasiView for RunState {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}

impl wasmtime_wasi_io::IoView for RunState {
    fn table(&mut self) -> &mut ResourceTable {
        &mut self.table
    }
}

/// Everything that a WASI 0.2 program may import.
pub(crate) fn wasi_linker(engine: &Engine) -> wasmtime::Result<Linker<RunState>> {
    use wasmtime_wasi::p2::bindings::{cli, clocks, random, sockets};
    type State = RunState;

    let mut linker = Linker::new(engine);
    let l = &mut linker;
    wasmtime_wasi_io::add_to_linker_async(l)?;
    clocks::wall_clock::add_to_linker::<State, WasiClocks>(l, State::clocks)?;
    clocks::monotonic_clock::add_to_linker::<State, WasiClocks>(l, State::clocks)?;
    random::random::add_to_linker::<State, WasiRandom>(l, |state| state.wasi.random())?;
    random::insecure::add_to_linker::<State, WasiRandom>(l, |state| state.wasi.random())?;
    random::insecure_seed::add_to_linker::<State, WasiRandom>(l, |state| state.wasi.random())?;
    cli::exit::add_to_linker::<State, WasiCli>(l, State::cli)?;
    cli::environment::add_to_linker::<State, WasiCli>(l, State::cli)?;
    cli::stdin::add_to_linker::<State, WasiCli>(l, State::cli)?;
    cli::stdout::add_to_linker::<State, WasiCli>(l, State::cli)?;
    cli::stderr::add_to_linker::<State, WasiCli>(l, State::cli)?;
    cli::terminal_input::add_to_linker::<State, WasiCli>(l, State::cli)?;
    cli::terminal_output::add_to_linker::<State, WasiCli>(l, State::cli)?;
    cli::terminal_stdin::add_to_linker::<State, WasiCli>(l, State::cli)?;
    cli::terminal_stdout::add_to_linker::<State, WasiCli>(l, State::cli)?;
    cli::terminal_stderr::add_to_linker::<State, WasiCli>(l, State::cli)?;
    sockets::tcp::add_to_linker::<State, WasiSockets>(l, State::sockets)?;
    sockets::tcp_create_socket::add_to_linker::<State, WasiSockets>(l, State::sockets)?;
    sockets::udp::add_to_linker::<State, WasiSockets>(l, State::sockets)?;
    sockets::udp_create_socket::add_to_linker::<State, WasiSockets>(l, State::sockets)?;
    sockets::instance_network::add_to_linker::<State, WasiSockets>(l, State::sockets)?;
    let options = sockets::network::LinkOptions::default();
    sockets::network::add_to_linker::<State, WasiSockets>(l, &options, State::sockets)?;
    sockets::ip_name_lookup::add_to_linker::<State, WasiSockets>(l, State::sockets)?;
    filesystem::add_to_linker(l, |state: &mut State| FilesystemView { filesystem: &mut state.files, table: &mut state.table })?;
    Ok(linker)
}

/// The same and the host interface of the guest contract.
pub(crate) fn guest_linker(engine: &Engine) -> wasmtime::Result<Linker<RunState>> {
    let mut linker = wasi_linker(engine)?;
    bindings::glovebox::guest::host::add_to_linker::<RunState, HasSelf<HostCalls>>(&mut linker, |state| &mut state.calls)?;
    Ok(linker)
}
