//! Random number generators of a guest: seeded or from the system?
//!
//! From the seed of the grant if it has one, otherwise from the thread's own generator. A request
//! is filled at once and priced by its length.

use crate::meter::{self, Meter};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng as _};
use wasmtime::component::HasData;
use wasmtime_wasi::p2::bindings::random::{insecure, random};

/// Random bytes that a guest may ask for at once; protects the host's memory.
const MAX_BYTES: u64 = 1 << 20;

/// The generators of one run; `None` is the thread's generator.
pub(super) struct Generators(Option<Box<Seeded>>);

struct Seeded {
    secure: StdRng,
    insecure: StdRng,
}

impl Generators {
    pub(super) fn new(seed: Option<u64>) -> Self {
        let seeded = |seed| Seeded {
            secure: StdRng::seed_from_u64(seed),
            insecure: StdRng::seed_from_u64(seed ^ 1),
        };
        Self(seed.map(|seed| Box::new(seeded(seed))))
    }

    fn secure(&mut self) -> Option<&mut StdRng> {
        self.0.as_mut().map(|seeded| &mut seeded.secure)
    }

    fn insecure(&mut self) -> Option<&mut StdRng> {
        self.0.as_mut().map(|seeded| &mut seeded.insecure)
    }
}

/// The state of one call.
pub(super) struct Random<'a> {
    pub(super) generators: &'a mut Generators,
    pub(super) meter: &'a Meter,
}

/// The interfaces `wasi:random/random` and `wasi:random/insecure`.
pub(super) struct HasRandom;

impl HasData for HasRandom {
    type Data<'a> = Random<'a>;
}

fn fill(generator: Option<&mut StdRng>, bytes: &mut [u8]) {
    match generator {
        Some(seeded) => seeded.fill_bytes(bytes),
        None => rand::rng().fill_bytes(bytes),
    }
}

fn made(meter: &Meter, generator: Option<&mut StdRng>, length: u64) -> wasmtime::Result<Vec<u8>> {
    let allowed = usize::try_from(length.min(MAX_BYTES + 1)).unwrap_or(usize::MAX);
    if length > MAX_BYTES {
        return Err(wasmtime::Error::msg(format!(
            "{length} random bytes were asked for at once; {MAX_BYTES} can be"
        )));
    }
    meter.charge(meter::random(length) + meter::copied(allowed));
    let mut bytes = vec![0; allowed];
    fill(generator, &mut bytes);
    Ok(bytes)
}

fn number(generator: Option<&mut StdRng>) -> u64 {
    let mut bytes = [0; 8];
    fill(generator, &mut bytes);
    u64::from_le_bytes(bytes)
}

impl random::Host for Random<'_> {
    fn get_random_bytes(&mut self, length: u64) -> wasmtime::Result<Vec<u8>> {
        made(self.meter, self.generators.secure(), length)
    }

    fn get_random_u64(&mut self) -> wasmtime::Result<u64> {
        Ok(number(self.generators.secure()))
    }
}

impl insecure::Host for Random<'_> {
    fn get_insecure_random_bytes(&mut self, length: u64) -> wasmtime::Result<Vec<u8>> {
        made(self.meter, self.generators.insecure(), length)
    }

    fn get_insecure_random_u64(&mut self) -> wasmtime::Result<u64> {
        Ok(number(self.generators.insecure()))
    }
}
