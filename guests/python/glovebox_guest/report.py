"""Exception report: how is an uncaught exception described?

As CPython's own interpreter does: the report goes to standard error, with the frames of the program only and with its source lines.
"""

from glovebox_guest.own import __builtins__

import sys
import traceback

from glovebox_guest.value import MAX_TEXT, plain
from wit_world.exports import interpreter as wire

TracebackException = traceback.TracebackException
default_hook = sys.__excepthook__


def raised(error, codes, world):
    """Writes the report of `error` and returns the contract's `raised`. `codes` are the program's own outermost code objects."""
    standard = world.standard
    kind, message = _kind(type(error)), _message(error)
    try:
        error = error.with_traceback(_program_frames(error.__traceback__, codes))
        sys.last_exc = sys.last_value = error
        sys.last_type, sys.last_traceback = type(error), error.__traceback__
    except BaseException:
        pass
    if isinstance(error, SyntaxError):
        _show_line(error, world.source_lines)
    text = _text(error, kind, message)
    hook = getattr(sys, "excepthook", default_hook)
    if hook is default_hook or not _was_told_by(hook, error):
        standard.complain(text)
    return wire.Raised(plain(kind), plain(message), plain(text))


def _was_told_by(hook, error):
    """Whether the program's own `sys.excepthook` took the exception."""
    try:
        hook(type(error), error, error.__traceback__)
    except BaseException:
        return False
    return True


def _program_frames(tb, codes):
    """The traceback from the program's first frame on: what lies above is the guest and, after a top-level `await`, its loop."""
    first = tb
    while first is not None:
        if first.tb_frame.f_code in codes:
            return without_guest(first)
        first = first.tb_next
    # It never reached the program: the text did not compile, or the program came in through a callback of the loop.
    while tb is not None and _is_guest(tb):
        tb = tb.tb_next
    return without_guest(tb)


def without_guest(tb):
    """The same traceback; what the guest does in place of C has no frames, as in C."""
    last = tb
    while last is not None:
        while last.tb_next is not None and _is_guest(last.tb_next):
            last.tb_next = last.tb_next.tb_next
        last = last.tb_next
    return tb


def _is_guest(tb):
    return tb.tb_frame.f_code.co_filename == "<glovebox>"


def _show_line(error, source_lines):
    """Errors that the compiler finds late do not know the text of their line; for a program in a file CPython reads it there."""
    try:
        if error.text is None and error.filename in source_lines:
            error.text = source_lines[error.filename][2][error.lineno - 1]
    except BaseException:
        pass


def _text(error, kind, message):
    try:
        text = "".join(TracebackException(type(error), error, error.__traceback__).format())
    except BaseException:
        # The program may have replaced what `traceback` needs, or memory is short.
        text = ""
    if not text:
        text = f"{kind}: {message}\n" if message else f"{kind}\n"
    return text if len(text) <= 4 * MAX_TEXT else text[: 4 * MAX_TEXT] + "...\n"


def _kind(cls):
    try:
        module, name = cls.__module__, cls.__qualname__
        return name if module in ("__main__", "builtins") else f"{module}.{name}"
    except BaseException:
        return "BaseException"


def _message(error):
    try:
        return str(error)
    except BaseException:
        return "<exception str() failed>"
