"""Program file: what does a program find that opens its `__file__`?

Its own text. The program comes as a text and not as a file, so a file is made while a source runs
that asks for its name, where that is free, and taken away again. Where a limit ends the run, the
host leaves it out of the program's results.
"""

from glovebox_guest.own import __builtins__

import posix

open_file, close_file, write, read, remove = posix.open, posix.close, posix.write, posix.read, posix.unlink
stat = posix.stat
CREATE = posix.O_WRONLY | posix.O_CREAT | posix.O_EXCL
READ = posix.O_RDONLY
NAMES = ("__file__", "argv[0]")
"""What a source asks for its own name with."""
made = []
"""Path and content of the file that was made, if there is one."""


def put(path, text, names=NAMES):
    """Makes the file where the source has one of the names. Never raises."""
    if not any(name in text for name in names):
        return
    try:
        content = text.encode()
        descriptor = open_file(path, CREATE)
    except OSError:
        # It is there already, or in a folder that is not.
        return
    try:
        left = memoryview(content)
        while left:
            left = left[write(descriptor, left) :]
        made[:] = path, content
    except OSError:
        # There is no room. What was written would take up the rest of it.
        remove(path)
    finally:
        close_file(descriptor)


def take_back():
    """Removes the file unless the program has changed it. Never raises."""
    if not made:
        return
    path, content = made
    made.clear()
    try:
        if stat(path).st_size != len(content):
            return
        descriptor = open_file(path, READ)
        found = b""
        while part := read(descriptor, len(content) + 1):
            found += part
        close_file(descriptor)
        if found == content:
            remove(path)
    except OSError:
        pass
