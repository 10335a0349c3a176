"""Interrupts: how does the host end an evaluation so that its session lives on?

It sets words of this interpreter's memory while the instance is suspended (`native/interrupts.c`), as `SIGINT` would, and the program
gets a `KeyboardInterrupt` or what its own handler does. Only between `enable` and `disable`: the guest's own code has no place for one.
"""

from glovebox_guest.own import __builtins__

import _interrupts
from wit_world.exports import interpreter as wire

enable, disable = _interrupts.enable, _interrupts.disable
pause, resume = _interrupts.pause, _interrupts.resume
_interrupts.find()


def places():
    """The contract's `interruption`."""
    enabled, words = _interrupts.places()
    return wire.Interruption(enabled, [wire.WordBits(*word) for word in words])
