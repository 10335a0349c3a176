# command-line tools written as functions: head, tail, grep, sort, uniq, cut, wc, tree
import io
import os
import re
import sys
from collections import Counter, deque
from itertools import islice
from pathlib import Path

Path("logs/old").mkdir(parents=True)
Path("logs/app.log").write_text("\n".join(f"{n:03} {'ERROR' if n % 7 == 0 else 'INFO'} user{n % 3} took {n * 13 % 50}ms" for n in range(1, 31)) + "\n")
Path("logs/old/1.log").write_text("banana\napple\ncherry\napple\nBanana\n10\n9\n")
Path("logs/empty.txt").touch()
Path("logs/bin.dat").write_bytes(bytes([0, 255, 10, 13, 26]) * 3)


def head(path, n=10):
    with open(path) as f:
        return list(islice(f, n))


def tail(path, n=10):
    with open(path) as f:
        return list(deque(f, n))


def tail_bytes(path, count, block=16):
    with open(path, "rb") as f:
        f.seek(0, os.SEEK_END)
        data, place = b"", f.tell()
        while place > 0 and data.count(b"\n") <= count:
            step = min(block, place)
            place -= step
            f.seek(place)
            data = f.read(step) + data
    return data.splitlines()[-count:]


def grep(pattern, *paths, invert=False, context=0):
    for path in paths:
        lines = Path(path).read_text().splitlines()
        for number, line in enumerate(lines, 1):
            if bool(re.search(pattern, line)) != invert:
                yield f"{path}:{number}: {line}"
                for near in lines[number : number + context]:
                    yield f"{path}-        {near}"


def wc(path):
    data = Path(path).read_bytes()
    return data.count(b"\n"), len(data.split()), len(data), path


def tree(folder, prefix=""):
    entries = sorted(os.scandir(folder), key=lambda e: (e.is_file(), e.name))
    for index, entry in enumerate(entries):
        last = index == len(entries) - 1
        size = "" if entry.is_dir() else f" ({entry.stat().st_size} B)"
        yield f"{prefix}{'└── ' if last else '├── '}{entry.name}{size}"
        if entry.is_dir():
            yield from tree(entry.path, prefix + ("    " if last else "│   "))


print("".join(head("logs/app.log", 2)), "".join(tail("logs/app.log", 2)), sep="")
print(tail_bytes("logs/app.log", 2), tail("logs/empty.txt"))
print("\n".join(grep(r"ERROR user[12].*\b(\d\d)ms", "logs/app.log", context=1)))
print(list(grep("a", "logs/old/1.log", invert=True)))
for path in ("logs/app.log", "logs/old/1.log", "logs/empty.txt", "logs/bin.dat"):
    print("%7d %7d %7d %s" % wc(path))
lines = Path("logs/old/1.log").read_text().split()
print(sorted(lines), sorted(lines, key=str.lower, reverse=True), sorted(lines, key=lambda s: (not s.isdigit(), int(s) if s.isdigit() else 0, s)))
print(Counter(lines).most_common(1), list(dict.fromkeys(line.lower() for line in lines)))
print([line.split()[2] for line in head("logs/app.log", 4)], [line[4:9] for line in head("logs/app.log", 2)])
times = [int(m[1]) for line in open("logs/app.log") if (m := re.search(r"(\d+)ms", line))]
print(sum(times), max(times), sorted(times)[len(times) // 2], Counter(t // 10 * 10 for t in times))
print("\n".join(tree("logs")))
print(repr(open("logs/bin.dat", "rb").readline()), repr(open("logs/bin.dat", encoding="latin-1", newline="").read(4)))
old, sys.stdout = sys.stdout, io.StringIO()
print("hidden")
captured, sys.stdout = sys.stdout.getvalue(), old
print(repr(captured), sys.stdout.encoding, sys.stdin.encoding, sys.getdefaultencoding(), sys.stdout.isatty())
with open("crlf.txt", "w", newline="\r\n") as f:
    f.write("a\nb\n")
print(open("crlf.txt", "rb").read(), open("crlf.txt").read(), open("crlf.txt", newline="").readlines())
os.chdir("logs")
print(os.getcwd(), os.listdir("old"), os.path.abspath("x"), Path.cwd().name, os.sep, os.linesep == "\n")
print(os.environ.get("NOPE", "unset"), os.environ["HOME"], os.path.expanduser("~/x"), os.path.join("a", "/b"))
print(end="no newline", flush=True)
