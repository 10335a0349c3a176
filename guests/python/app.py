"""Application module: what does the component builder wrap?

This module. It names the exported interpreter; everything that runs while it is imported becomes part of the frozen image.
"""

from glovebox_guest import image, interrupts
from glovebox_guest.evaluation import evaluate
from wit_world import exports


class Interpreter(exports.Interpreter):
    """The contract's `interpreter` interface; all the work is done by `glovebox_guest.evaluation`."""

    def evaluate(self, source):
        """Runs one source and says how it ended."""
        return evaluate(source)

    def interrupt(self):
        """Says how the host interrupts an evaluation."""
        return interrupts.places()


image.finish(__name__)
