"""Items of a generator that waits: how does a loop of a thread stop while the next one is not there?

The generator's own code can stop (`assembly`) and gives `SUSPENDED` then. `for` in a thread asks for
the next item before it takes it and stops as well; anything else that takes one waits.
"""

from glovebox_guest.own import __builtins__

SUSPENDED = object()
"""What a thread's generators give when the thread is suspended."""


class Items:
    """Stands for the generator."""

    __slots__ = ("generator", "wait", "next", "error", "is_there", "__weakref__")

    def __init__(self, generator, wait):
        self.generator, self.wait = generator, wait
        self.next = self.error = None
        self.is_there = False

    def __iter__(self):
        return self

    def __next__(self):
        return self.send(None)

    def send(self, value, /):
        """The next item."""
        if self.is_there:
            item, error = self.next, self.error
            self.next = self.error = None
            self.is_there = False
            if error is not None:
                raise error
            return item
        return self._go(self.generator.send(value))

    def throw(self, *error):
        """Raises an exception where the generator is."""
        return self._go(self.generator.throw(*error))

    def close(self):
        """Ends the generator."""
        self.generator.close()

    def _go(self, item):
        while item is SUSPENDED:
            item = self.generator.send(self.wait())
        return item

    def fill(self):
        """A generator that stops until the next item is there."""
        if self.is_there:
            return
        try:
            item = self.generator.send(None)
            while item is SUSPENDED:
                item = self.generator.send((yield SUSPENDED))
            self.next = item
        except BaseException as error:
            self.error = error
        self.is_there = True


def given(thing):
    """A generator that only returns something."""
    return thing
    yield
