"""Descriptors: how do two of them share one open file?

The functions are C (`native/descriptors.c`): they work on the C library's own table, so that everything
that has a descriptor, Python's files and standard streams included, sees the change.
"""

from glovebox_guest.own import __builtins__

import os

import _descriptors


def install():
    """Puts the functions where programs look."""
    for function in (_descriptors.dup, _descriptors.dup2, _descriptors.pipe):
        setattr(os, function.__name__, function)
        function.__module__ = "posix"
        if function.__name__ not in os.__all__:
            os.__all__.append(function.__name__)
