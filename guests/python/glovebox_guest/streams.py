"""Standard streams: what are `sys.stdin`, `sys.stdout` and `sys.stderr` here?

Text over a buffer over the three descriptors. Output leaves at each line end, so a program is heard as it speaks and one `print` is one
write; bytes that are not UTF-8 pass through standard input and output unharmed, as surrogates.
"""

from glovebox_guest.own import __builtins__

import io
import os
import sys

BUFFER_BYTES = 8192


class Standard:
    """The three streams as the program first meets them."""

    def __init__(self):
        self.stdin = self.stdout = self.stderr = None
        self.renew()

    def renew(self):
        """Makes those streams that are missing or were closed."""
        if _is_lost(self.stdin):
            self.stdin = sys.stdin = sys.__stdin__ = _reader(0, "<stdin>")
        if _is_lost(self.stdout):
            self.stdout = sys.stdout = sys.__stdout__ = _writer(1, "<stdout>", "surrogateescape")
        if _is_lost(self.stderr):
            self.stderr = sys.stderr = sys.__stderr__ = _writer(2, "<stderr>", "backslashreplace")

    def begin(self):
        """At the start of an evaluation: what the last one closed or threw away is there again."""
        if self.stdin.closed or self.stdout.closed or self.stderr.closed:
            self.renew()
        if _is_lost(sys.stdin):
            sys.stdin = self.stdin
        if _is_lost(sys.stdout):
            sys.stdout = self.stdout
        if _is_lost(sys.stderr):
            sys.stderr = self.stderr

    def flush(self):
        """Writes out what the program left in buffers, its own streams included. Never raises."""
        for stream in (getattr(sys, "stdout", None), getattr(sys, "stderr", None), self.stdout, self.stderr):
            try:
                stream.flush()
            except BaseException:
                # Closed, replaced by something else, or the host takes no more: the run has ended either way.
                pass

    def complain(self, text):
        """Writes to the program's standard error, or to the real one where that cannot be written. Never raises."""
        for stream in (getattr(sys, "stderr", None), self.stderr):
            try:
                stream.write(text)
                stream.flush()
                return
            except BaseException:
                continue


def take_handles():
    """Takes the host's handles in the same order in every instance, so that memory can move between instances."""
    for descriptor in (0, 1, 2):
        try:
            os.fstat(descriptor)
        except OSError:
            pass


def _is_lost(stream):
    try:
        return stream is None or stream.closed
    except BaseException:
        # Something that only has `write` is a fine stream.
        return False


def _reader(descriptor, name):
    raw = io.FileIO(descriptor, "r", closefd=False)
    raw.name = name
    text = io.TextIOWrapper(io.BufferedReader(raw, BUFFER_BYTES), "utf-8", "surrogateescape", "\n")
    text.mode = "r"
    return text


def _writer(descriptor, name, errors):
    raw = io.FileIO(descriptor, "w", closefd=False)
    raw.name = name
    text = io.TextIOWrapper(io.BufferedWriter(raw, BUFFER_BYTES), "utf-8", errors, "\n", line_buffering=True)
    text.mode = "w"
    return text
