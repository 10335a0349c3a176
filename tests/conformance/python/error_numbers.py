# errors have the numbers, names, classes and texts of Linux
import errno
import os

for number in range(-1, 134):
    names = [name for name in dir(errno) if getattr(errno, name) == number]
    error = OSError(number, os.strerror(number), "file", None, "other")
    print(number, errno.errorcode.get(number), *names, type(error).__name__, error)
print(hasattr(errno, "ENOTCAPABLE"), *list(errno.errorcode)[:8])
print(type(OSError("text")).__name__, type(OSError(2)).__name__, OSError(2).errno, repr(OSError(2, "text")))
