# what WASI does not have says so in Python's own words
# only = "what WASI lacks, a container has"
import os
import subprocess

for what, action in [
    ("process", lambda: subprocess.run(["ls"])),
    ("fork", lambda: os.fork()),
    ("ctypes", lambda: __import__("ctypes")),
    ("mmap", lambda: __import__("mmap")),
]:
    try:
        action()
        print(what, "worked")
    except (RuntimeError, OSError, AttributeError, ImportError) as error:
        print(what, "raised")
