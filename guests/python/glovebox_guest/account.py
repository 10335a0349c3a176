"""Account: whose is the program, and what may it write?

The functions of `os` and `getpass` that ask for the user's name, home folder and rights, which WASI
does not know: the home is the workspace, and what can be written is found out by trying.
"""

from glovebox_guest.own import __builtins__

import getpass
import os
import posix
import posixpath

from glovebox_guest.world import WORKSPACE

USER = "user"
OWNER = 0
"""The owner and group of every file, as `stat` has it, and so of the program. There are no effective ones: the library takes 0 for
an administrator, who can change owners."""
PROBE = ".glovebox-access"

c_access = posix.access
real_expanduser, real_getuser = posixpath.expanduser, getpass.getuser
is_folder = posixpath.isdir
open_file, close_file, make_folder, remove_folder = posix.open, posix.close, posix.mkdir, posix.rmdir
stat, utime = posix.stat, posix.utime
masks = [0o022]


def expanduser(path):
    """Expand ~ and ~user constructions.  If user or $HOME is unknown,
    do nothing."""
    path = os.fspath(path)
    if isinstance(path, bytes):
        home, tilde, slash = os.fsencode(WORKSPACE), b"~", b"/"
    else:
        home, tilde, slash = WORKSPACE, "~", "/"
    if "HOME" not in os.environ and path.partition(slash)[0] == tilde:
        return home + path[1:]
    return real_expanduser(path)


def getuser():
    """Get the username from the environment, or the one that every program has here."""
    try:
        return real_getuser()
    except OSError:
        return USER


def getlogin():
    """Return the actual login name."""
    return USER


def getuid():
    """Return the current process's user id."""
    return OWNER


def getgid():
    """Return the current process's group id."""
    return OWNER


def umask(mask, /):
    """Set the current numeric umask and return the previous umask."""
    if not isinstance(mask, int):
        raise TypeError(f"'{type(mask).__name__}' object cannot be interpreted as an integer")
    previous = masks[0]
    masks[0] = mask & 0o777
    return previous


def access(path, mode, *, dir_fd=None, effective_ids=False, follow_symlinks=True):
    """Use the real uid/gid to test for access to a path."""
    options = {"dir_fd": dir_fd, "follow_symlinks": follow_symlinks}
    if not mode & os.W_OK or dir_fd is not None or isinstance(path, int):
        return c_access(path, mode, **options)
    return c_access(path, mode & ~os.W_OK, **options) and _can_write(path)


def _can_write(path):
    """Whether a file opens for writing, or a folder takes a new entry, which is taken away again."""
    try:
        if not is_folder(path):
            close_file(open_file(path, os.O_WRONLY))
            return True
        before = stat(path)
        probe = os.path.join(path, os.fsencode(PROBE) if isinstance(path, bytes) else PROBE)
        make_folder(probe)
        remove_folder(probe)
        utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    except OSError:
        return False
    return True


def install():
    """Puts them where programs look."""
    posixpath.expanduser = expanduser
    getpass.getuser = getuser
    os.getlogin, os.umask, os.access, os.getuid, os.getgid = getlogin, umask, access, getuid, getgid
    for function in (getlogin, umask, access, getuid, getgid):
        function.__module__ = "posix"
    expanduser.__module__, getuser.__module__ = "posixpath", "getpass"
    for names in (os.supports_effective_ids, os.supports_dir_fd, os.supports_follow_symlinks):
        if c_access in names:
            names.discard(c_access)
            names.add(access)
