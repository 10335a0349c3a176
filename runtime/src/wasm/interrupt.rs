//! Interrupts: how does an evaluation end so that its session lives on?
//!
//! The guest has named words of its memory (`interrupt` of the contract). While it is suspended the
//! host sets bits in them, and the program gets what its language has for that. A guest that waits
//! in the host is woken. What ignores that is stopped for good, and the session with it.

use crate::contract::exports::glovebox::guest::interpreter;
use crate::memory::GuestWords;
use crate::stdio::Outputs;
use crate::wakeup::WakeUp;

/// The interrupts of one instance.
pub(super) struct Interrupter {
    words: GuestWords,
    places: interpreter::Interruption,
    wake_up: WakeUp,
    outputs: Outputs,
}

impl Interrupter {
    pub(super) fn new(
        words: GuestWords,
        places: interpreter::Interruption,
        wake_up: WakeUp,
        outputs: Outputs,
    ) -> Self {
        Self {
            words,
            places,
            wake_up,
            outputs,
        }
    }

    /// Interrupts the guest, which must be suspended; returns whether it could be.
    pub(super) fn interrupt(&self) -> bool {
        // A program that waits for a slow receiver of its output would never look.
        self.outputs.drop_slow_receiver();
        let is_enabled = self.words.load(self.places.enabled) != 0;
        if is_enabled {
            for place in &self.places.set {
                self.words.set(place.address, place.bits);
            }
            self.wake_up.wake();
        }
        is_enabled
    }

    /// Takes back an interrupt that the guest has not noticed, so that it does not end the next
    /// evaluation.
    pub(super) fn withdraw(&self) {
        for place in &self.places.set {
            self.words.clear(place.address, place.bits);
        }
        self.wake_up.withdraw();
    }
}
