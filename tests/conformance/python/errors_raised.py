# what the interpreter raises has numbers of Linux, whichever module raises it
import contextlib
import errno
import io
import os
import pathlib
import pickle
import shutil
import socket
import sqlite3
import sys

os.makedirs("folder/inner")
pathlib.Path("file").write_text("text")
os.symlink("loop", "loop")
os.symlink("nowhere", "dangling")
reader, writer = os.pipe()


class Full(io.RawIOBase):
    """Has no room, like a file that is too large."""

    def writable(self):
        return True

    def write(self, data):
        raise OSError(errno.EFBIG, os.strerror(errno.EFBIG))


class Interrupted(Full):
    """Takes what it is given at the second attempt."""

    attempts = 0

    def write(self, data):
        self.attempts += 1
        if self.attempts == 1:
            raise InterruptedError(errno.EINTR, "again")
        return len(data)


class Busy(Full):
    """Would have to wait."""

    def write(self, data):
        return None


def wrapped(raw):
    file = io.BufferedWriter(raw, 16)
    try:
        file.write(b"x" * 100)
        file.flush()
        return raw.attempts
    finally:
        raw.write = len
        file.detach()


def nested():
    try:
        open("missing")
    except OSError as error:
        raise OSError(error.errno, f"{error.strerror}: again", "other") from error


ROWS = {
    "open": lambda: open("missing"),
    "open for writing": lambda: open("missing/file", "w"),
    "open a folder": lambda: open("folder"),
    "open exclusively": lambda: open("file", "x"),
    "open below a file": lambda: open("file/below"),
    "open a loop": lambda: open("loop"),
    "open a dangling link": lambda: open("dangling"),
    "open a long name": lambda: open("n" * 300),
    "os.open": lambda: os.open("missing", os.O_RDONLY),
    "pathlib": lambda: pathlib.Path("missing").read_text(),
    "mkdir": lambda: os.mkdir("folder"),
    "makedirs": lambda: os.makedirs("folder/inner"),
    "rmdir": lambda: os.rmdir("folder"),
    "rmdir a file": lambda: os.rmdir("file"),
    "unlink": lambda: os.unlink("missing"),
    "unlink below a missing folder": lambda: os.unlink("missing/folder"),
    "rename": lambda: os.rename("missing", "other"),
    "rename to a folder": lambda: os.rename("file", "folder"),
    "replace": lambda: os.replace("missing", "other"),
    "link": lambda: os.link("missing", "other"),
    "symlink": lambda: os.symlink("file", "loop"),
    "readlink": lambda: os.readlink("file"),
    "stat": lambda: os.stat("missing"),
    "lstat bytes": lambda: os.lstat(b"missing"),
    "listdir": lambda: os.listdir("missing"),
    "scandir": lambda: os.scandir("file"),
    "chdir": lambda: os.chdir("missing"),
    "truncate": lambda: os.truncate("missing", 0),
    "utime": lambda: os.utime("missing"),
    "rmtree": lambda: shutil.rmtree("missing"),
    "copy": lambda: shutil.copy("missing", "other"),
    "copytree": lambda: shutil.copytree("folder", "folder"),
    "os.read": lambda: os.read(99, 1),
    "os.write": lambda: os.write(99, b"x"),
    "os.close": lambda: os.close(99),
    "os.fstat": lambda: os.fstat(99),
    "os.dup": lambda: os.dup(99),
    "os.lseek": lambda: os.lseek(reader, 0, 0),
    "FileIO": lambda: io.FileIO(99),
    "seek before the start": lambda: open("file", "rb").seek(-1),
    "write to a closed pipe": lambda: (os.close(reader), os.write(writer, b"x")),
    "full": lambda: wrapped(Full()),
    "interrupted": lambda: wrapped(Interrupted()),
    "busy": lambda: wrapped(Busy()),
    "pow": lambda: 1e300**2,
    "socket without a descriptor": lambda: socket.socket(fileno=99),
    "sqlite3": lambda: sqlite3.connect("missing/file"),
    "nested": nested,
    "OSError by number": lambda: (_ for _ in ()).throw(OSError(errno.ENOENT, os.strerror(errno.ENOENT), "name")),
    "no number": lambda: (_ for _ in ()).throw(FileNotFoundError("text")),
}
for what, action in ROWS.items():
    try:
        print(f"{what}: {action()!r}")
    except Exception as error:
        number = getattr(error, "errno", None)
        print(f"{what}: {type(error).__name__}: {error} | {number} {errno.errorcode.get(number)}")
        if isinstance(error, OSError):
            again = pickle.loads(pickle.dumps(error))
            assert (type(again), str(again)) == (type(error), str(error)), again
            assert number is None or error.args[0] == number, error.args
            assert type(error) is not OSError or type(OSError(number, "")) is OSError
with contextlib.suppress(FileNotFoundError):
    os.remove("missing")
try:
    os.remove("missing")
except OSError as error:
    print(error.errno == 2, error.errno == errno.ENOENT, error.strerror, error.filename, repr(error))
del sys.modules["errno"]
import errno as fresh

print(fresh is errno, fresh.ENOENT, fresh.errorcode == errno.errorcode)
