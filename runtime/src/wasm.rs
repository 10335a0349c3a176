//! Wasm tier executor: how does a grant run in a WebAssembly instance?
//!
//! A fresh instance for every run, under fuel, memory and stack limits, raced against the wall
//! clock: fuel does not stop a call that waits in the host, and the clock does not stop a loop that
//! never waits.

mod collect;
mod instance;
mod interrupt;
mod layouts;
mod program;
mod race;
mod report;

use crate::account::SharedHold;
use crate::clock::GuestClock;
use crate::compiler::Compiler;
use crate::engine::Metering;
use crate::error::{Error, GuestError, RequestError};
use crate::executor::{Executor, Report, Run, RunSetup, SessionHandle};
use crate::filesystem::{Devices, Filesystem, FilesystemError, QuotaLimits, system_clock};
use crate::guest::{Guest, Guests};
use crate::limiter::{Limiter, MemoryStart, WholeImage};
use crate::memory::{GuestWords, with_image};
use crate::meter;
use crate::packages::PackageTarget;
use crate::state::{RunState, StoreParts};
use crate::stdio::{GuestInput, Outputs};
use async_trait::async_trait;
use glovebox_policy::{Grant, Limit, Tier, TierFacts};
use instance::Instance;
use layouts::{Layouts, SharedLayout};
use report::refused;
use std::pin::pin;
use std::sync::Arc;
use wasmtime::Store;

/// Fuel after which a guest yields to other tasks, about a millisecond.
const YIELD_FUEL: u64 = 1_000_000;

/// The wasm tier.
pub(crate) struct WasmExecutor {
    guests: Guests,
    metering: Metering,
    layouts: Layouts,
    /// The compiler; without one, no untrusted WebAssembly modules run.
    compiler: Option<Compiler>,
}

impl WasmExecutor {
    pub(crate) fn new(guests: Guests, metering: Metering, compiler: Option<Compiler>) -> Self {
        Self {
            guests,
            metering,
            layouts: Layouts::default(),
            compiler,
        }
    }

    /// Returns the host state of a new instance, or a report if the request's files don't fit.
    fn prepare(
        &self,
        shared: &SharedLayout,
        setup: &RunSetup,
        guest: Option<&Guest>,
        arguments: &[String],
    ) -> Result<PreparedHost, Error> {
        let grant = &setup.grant;
        let limits = grant.limits();
        let resolution = grant.clock_resolution();
        let quota = QuotaLimits::from(limits);
        let memory = setup.memory.clone();
        let mut held = memory.hold();
        if held.grow(shared.index).is_err() {
            return Ok(PreparedHost::Over(Box::new(
                refused(&memory).unwrap_or_else(|| Report::limited(Limit::Memory)),
            )));
        }
        let mut files = Filesystem::new(&shared.layout, quota, system_clock(resolution), held);
        for file in &setup.files {
            match files.put(
                &file.path,
                bytes::Bytes::from_owner(Arc::clone(&file.content)),
            ) {
                Ok(()) => {}
                Err(FilesystemError::Full { .. }) => {
                    let limit = files.quota_hit().unwrap_or(Limit::Workspace);
                    return Ok(PreparedHost::Over(Box::new(
                        refused(&memory).unwrap_or_else(|| Report::limited(limit)),
                    )));
                }
                Err(error) => return Err(RequestError::File(error).into()),
            }
        }
        let start = match guest {
            Some(_) => MemoryStart::Image,
            None => MemoryStart::Private,
        };
        let outputs = Outputs::new(limits, memory.hold());
        let input = GuestInput::default();
        files.connect(Devices {
            input: input.clone(),
            outputs: outputs.clone(),
            seed: grant.seed(),
        });
        let held = SharedHold::new(memory.hold());
        let state = RunState::new(StoreParts {
            outputs: &outputs,
            input: input.clone(),
            clock: GuestClock::new(resolution),
            seed: grant.seed(),
            arguments,
            environment: grant.environment(),
            files,
            limiter: Limiter::new(limits.memory, held.clone(), start),
            calls: setup.host_calls(),
            memory,
        });
        Ok(PreparedHost::Ready(Box::new(Host {
            state,
            outputs,
            input,
            held,
        })))
    }

    /// Creates a store in which one import may have `copy` bytes copied out of the guest.
    fn store(
        &self,
        engine: &wasmtime::Engine,
        grant: &Grant,
        state: RunState,
        copy: usize,
    ) -> Result<Store<RunState>, Error> {
        let mut store = Store::new(engine, state);
        store.limiter(|state| &mut state.limiter);
        meter::install(&mut store, self.metering, copy);
        match self.metering {
            Metering::Fuel => {
                store.set_fuel(grant.limits().fuel)?;
                store.fuel_async_yield_interval(Some(YIELD_FUEL))?;
            }
            Metering::Epoch => {
                store.set_epoch_deadline(1);
                store.epoch_deadline_async_yield_and_update(1);
            }
            Metering::Unmetered => {}
        }
        Ok(store)
    }

    async fn instance(&self, setup: RunSetup, words: Option<GuestWords>) -> Result<Started, Error> {
        let guest = self
            .guests
            .for_language(setup.grant.language())
            .ok_or_else(|| GuestError::Language {
                language: setup.grant.language().to_owned(),
            })?;
        let limits = setup.grant.limits();
        let loaded = guest.loaded(self.metering, limits.stack)?;
        let place = guest.packages.clone();
        let layout = self.layouts.of(&setup, Some(guest)).await?;
        let host = match self.prepare(&layout, &setup, Some(guest), &[])? {
            PreparedHost::Ready(host) => *host,
            PreparedHost::Over(report) => return Ok(Started::Over(report)),
        };
        let image = WholeImage::new(host.state.memory.hold(), guest.image.len());
        let mut store = self.store(
            loaded.pre.engine(),
            &setup.grant,
            host.state,
            meter::GUEST_COPY,
        )?;
        let instantiated = with_image(
            Arc::clone(&guest.image),
            words,
            pin!(loaded.pre.instantiate_async(&mut store)),
        )
        .await;
        let guest = match instantiated {
            Ok(guest) => guest,
            Err(error) if store.data_mut().limiter.take_hit() == Some(Limit::Memory) => {
                tracing::debug!(%error, "the guest's own memory does not fit the grant");
                let report =
                    refused(&store.data().memory).unwrap_or_else(|| Report::limited(Limit::Memory));
                return Ok(Started::Over(Box::new(report)));
            }
            Err(error) => return Err(error.into()),
        };
        Ok(Started::Instance(Box::new(Instance {
            store,
            guest,
            outputs: host.outputs,
            input: host.input,
            grant: setup.grant,
            metering: self.metering,
            packages: place,
            image,
            interrupter: None,
            _held: host.held,
            fresh: true,
            is_last: false,
            alive: true,
            reported_calls: 0,
        })))
    }
}

enum PreparedHost {
    Ready(Box<Host>),
    Over(Box<Report>),
}

struct Host {
    state: RunState,
    outputs: Outputs,
    input: GuestInput,
    /// The charge of the memory, to be dropped after the store.
    held: SharedHold,
}

enum Started {
    Instance(Box<Instance>),
    Over(Box<Report>),
}

#[async_trait]
impl Executor for WasmExecutor {
    fn facts(&self) -> TierFacts {
        let mut languages: Vec<String> = self.guests.languages().map(str::to_owned).collect();
        if self.compiler.is_some() {
            languages.push(program::LANGUAGE.to_owned());
        }
        languages.sort_unstable();
        TierFacts::new(Tier::Wasm, languages)
    }

    fn package_target(&self, language: &str) -> Option<PackageTarget> {
        let guest = self
            .guests
            .for_language(language)
            .filter(|guest| guest.packages.is_some())?;
        Some(PackageTarget {
            tier: Tier::Wasm,
            interpreter: guest.interpreter(),
            native: None,
        })
    }

    fn has_sessions(&self, language: &str) -> bool {
        language != program::LANGUAGE
    }

    async fn run(&self, run: Run) -> Result<Report, Error> {
        if run.setup.grant.language() == program::LANGUAGE {
            return Box::pin(program::run(self, run.after_inspection())).await;
        }
        let Run { setup, evaluation } = run;
        match self.instance(setup, None).await? {
            Started::Instance(mut instance) => {
                instance.is_last = true;
                instance.evaluate(evaluation).await
            }
            Started::Over(report) => Ok(*report),
        }
    }

    async fn open(&self, setup: RunSetup) -> Result<Box<dyn SessionHandle>, Error> {
        if setup.grant.language() == program::LANGUAGE {
            return Err(RequestError::NoSessions.into());
        }
        let words = GuestWords::default();
        match self.instance(setup, Some(words.clone())).await? {
            Started::Instance(mut instance) => {
                instance.image.take(u64::MAX).map_err(Error::Memory)?;
                instance.make_interruptible(words).await?;
                Ok(instance)
            }
            Started::Over(report) => Err(match report.crash {
                Some(why) => Error::Memory(why),
                None => RequestError::FilesTooLarge.into(),
            }),
        }
    }
}
