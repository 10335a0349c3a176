"""Locales: which are there?

Those of a small container: `C`, `POSIX` and `C.UTF-8`. The C library takes any name and has no
locale for it, so a program would find the separators of `C` behind the name of another one.
"""

from glovebox_guest.own import __builtins__

import locale
import os

NAMES = {"C": "C", "POSIX": "C", "C.UTF-8": "C.UTF-8", "C.utf8": "C.utf8"}
OF_GLIBC = (
    "LC_CTYPE", "LC_NUMERIC", "LC_TIME", "LC_COLLATE", "LC_MONETARY", "LC_MESSAGES", "LC_PAPER", "LC_NAME", "LC_ADDRESS", "LC_TELEPHONE",
    "LC_MEASUREMENT", "LC_IDENTIFICATION",
)
"""Categories in the order of the name that stands for all; the last ones have no number here."""

Error = locale.Error
LC_ALL = locale.LC_ALL
numbers = {getattr(locale, name): name for name in OF_GLIBC if hasattr(locale, name)}
chosen = dict.fromkeys(OF_GLIBC, "C") | {"LC_CTYPE": "C.UTF-8"}


def setlocale(category, name=None):
    """Activates or queries locale processing."""
    if category != LC_ALL and category not in numbers:
        raise Error("invalid locale category")
    wanted = list(OF_GLIBC) if category == LC_ALL else [numbers[category]]
    if name is not None:
        if not isinstance(name, str):
            raise TypeError(f"setlocale() argument 2 must be str or None, not {type(name).__name__}")
        chosen.update({kind: _supported(_named(kind, name)) for kind in wanted})
    names = {chosen[kind] for kind in wanted}
    return names.pop() if len(names) == 1 else ";".join(f"{kind}={chosen[kind]}" for kind in OF_GLIBC)


def _named(kind, name):
    """The name of a category in what may name several."""
    if name == "":
        of_environment = (os.environ.get(key) for key in ("LC_ALL", kind, "LANG"))
        return next(filter(None, of_environment), "C")
    return dict(part.partition("=")[::2] for part in name.split(";")).get(kind) if "=" in name else name


def _supported(name):
    if name not in NAMES:
        raise Error("unsupported locale setting")
    return NAMES[name]


def install():
    """Puts the function where `locale` takes it from."""
    setlocale.__module__ = "_locale"
    locale._setlocale = setlocale
