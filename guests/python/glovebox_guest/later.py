"""Later modules: which modules does the image only promise?

Those for compression, which few programs use. Modules of the image that look for them while they are
imported (`shutil`, `zipfile`) find one that imports the real one when it is first used.
"""

from glovebox_guest.own import __builtins__

import importlib
import sys
import types

# A part of the image: its library can't be loaded later.
import _coders  # noqa: F401

NAMES = ("bz2", "lzma", "compression.zstd")


class Later(types.ModuleType):
    """Stands for a module until something of it is asked for."""

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return getattr(importlib.import_module(self.__name__), name)


def promise():
    """Before modules of the image are imported."""
    for name in NAMES:
        sys.modules[name] = Later(name)


def forget():
    """After that: what a program imports is the real one."""
    for name in NAMES:
        del sys.modules[name]
