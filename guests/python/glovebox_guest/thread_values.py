"""Values of threads: how does each thread have its own in a `threading.local`?

There is one thread to C, so they are changed when another thread goes on.
"""

from glovebox_guest.own import __builtins__

import _thread
import weakref


class Known:
    """The objects with a value for each thread."""

    def __init__(self):
        self.locals = []


known = Known()


class local(_thread._local):
    """Thread-local data"""

    __slots__ = ()

    def __new__(cls, /, *arguments, **named):
        self = _thread._local.__new__(cls, *arguments, **named)
        known.locals.append((weakref.ref(self), arguments, named))
        return self


def _locals():
    """The objects with a value for each thread, and what they were made with."""
    known.locals = [entry for entry in known.locals if entry[0]() is not None]
    return [(entry[0](), *entry[1:]) for entry in known.locals]


def taken():
    """What a thread keeps in the objects with a value for each thread."""
    return [(entry[0], dict(entry[0].__dict__)) for entry in _locals()] if known.locals else ()


def give(values):
    """Gives these objects what a thread keeps in them."""
    if not known.locals:
        return
    kept = {id(thing): content for thing, content in values}
    for thing, arguments, named in _locals():
        content = kept.get(id(thing))
        if content is None:
            _clear(thing, arguments, named)
        else:
            thing.__dict__.clear()
            thing.__dict__.update(content)


def _clear(kept, arguments, named):
    """Makes it what it is in a thread that has just begun."""
    kept.__dict__.clear()
    if type(kept).__init__ is not object.__init__:
        kept.__init__(*arguments, **named)
