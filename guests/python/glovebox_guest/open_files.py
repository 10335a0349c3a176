"""Open files: when are files flushed that a program leaves open?

Python writes their buffers out when it exits. A guest does not exit, so it does so after each evaluation; the files stay open.
"""

from glovebox_guest.own import __builtins__

import gc
import io
import os
import stat

FEW = 1000
"""Objects that are looked through without asking first. The image's own are frozen and do not count."""
PROBED = range(3, 24)
"""Descriptors looked at in a larger program; the first of them are the directories."""

fstat = os.fstat
is_regular = stat.S_ISREG
objects = gc.get_objects
counts = gc.get_count
WRITERS = frozenset((io.TextIOWrapper, io.BufferedWriter, io.BufferedRandom))


def flush():
    """Writes out the buffers of open files. Never raises."""
    try:
        young, older, _ = counts()
        if (older or young > FEW) and not any(map(_is_file, PROBED)):
            return
        for candidate in objects():
            if type(candidate) in WRITERS:
                _flush_one(candidate)
    except BaseException:
        # Memory is short.
        pass


def _flush_one(stream):
    try:
        if not stream.closed:
            stream.flush()
    except BaseException:
        # The error cannot be reported any more: the disk is full, or the file was opened for reading only.
        pass


def _is_file(descriptor):
    try:
        return is_regular(fstat(descriptor).st_mode)
    except OSError:
        return False
