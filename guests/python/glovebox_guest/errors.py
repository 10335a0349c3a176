"""Error numbers: how do `errno` and the classes of `OSError` get those of Linux?

They are filled in anew while the image is made. Until the classes are, at its end, errors are raised with WASI's numbers: what makes an exception
of a number at run time is C (`native/errors.h`), and is put in place after that.
"""

from glovebox_guest.own import __builtins__

import errno
import gc
import sys

import _descriptors


def _renumber():
    """Gives `errno` the numbers of Linux; returns them by those of WASI."""
    names_of_wasi = dict(errno.errorcode)
    of_wasi = {name: number for name, number in vars(errno).items() if type(number) is int}
    for name in (*of_wasi, "errorcode"):
        delattr(errno, name)
    on_linux = _descriptors.name_errors(errno)
    del _descriptors.name_errors
    # WASI has one number for `EPIPE` and `ESHUTDOWN`, and `ENOTCAPABLE` for more than `EPERM`.
    expected = {(number, getattr(errno, name, errno.EPERM)) for name, number in of_wasi.items()}
    for number, name in names_of_wasi.items():
        if (number, on_linux[number]) not in expected:
            raise ImportError(f"`{name}` has another number than expected")
    # Modules that were imported before this one may have taken numbers.
    for module in [*sys.modules.values()]:
        taken = getattr(module, "__dict__", {})
        for name, number in of_wasi.items():
            if module is not errno and taken.get(name) == number and hasattr(errno, name):
                taken[name] = getattr(errno, name)
    return on_linux


on_linux = _renumber()


def install():
    """Gives each class of an error its numbers of Linux."""
    (classes,) = (
        found
        for found in gc.get_referrers(ProcessLookupError)
        if type(found) is dict and all(type(number) is int for number in found)
    )
    classes_of_wasi = dict(classes)
    classes.clear()
    for number, kind in classes_of_wasi.items():
        classes[on_linux[number]] = kind
    classes[errno.ESHUTDOWN] = BrokenPipeError
