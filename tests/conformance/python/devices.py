# files of /dev, as natively
# stdin = "first\nsecond\n"
import contextlib
import os
import stat
import sys

with open(os.devnull, "w") as nowhere, contextlib.redirect_stdout(nowhere):
    print("unseen")
with open(os.devnull, "a+b") as nowhere:
    print(nowhere.write(b"x" * 100_000), nowhere.read(), nowhere.seekable())
with open("/dev/zero", "rb") as zeros:
    print(zeros.read(3), len(zeros.read(1_000_000)))
for name in ("/dev/random", "/dev/urandom"):
    with open(name, "rb") as numbers:
        print(len(set(numbers.read(4096))) > 200, len(numbers.read(70_000)))
with open("/dev/stdin") as lines:
    print(lines.readlines(), sys.stdin.read() == "")
for name in ("/dev/stdout", "/dev/fd/1"):
    sys.stdout.flush()
    with open(name, "w") as out:
        print("through", name, file=out)
with open("/dev/stderr", "w") as err:
    err.write("")
try:
    with open("/dev/full", "w") as full:
        full.write("x")
except OSError:
    print("full")
for name in ("null", "zero", "full", "random", "urandom"):
    print(name, stat.S_ISCHR(os.stat(f"/dev/{name}").st_mode), os.path.getsize(f"/dev/{name}"))
for refused in (
    lambda: open("/dev/null/inside"),
    lambda: open("/dev/absent"),
    lambda: os.remove("/dev/null"),
    lambda: os.listdir("/dev/zero"),
):
    try:
        refused()
    except OSError as error:
        print("refused")
