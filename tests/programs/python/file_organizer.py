# sorts files of a folder by kind, finds duplicates by hash, and cleans up
import hashlib
import os
import shutil
from collections import defaultdict
from pathlib import Path, PurePosixPath, PureWindowsPath

KINDS = {"images": {".png", ".jpg"}, "documents": {".txt", ".md", ".pdf"}, "code": {".py", ".js"}}
inbox = Path("inbox")
inbox.mkdir()
for name, content in [("photo.PNG", b"\x89PNG"), ("notes.txt", b"hello\n"), ("copy of notes.txt", b"hello\n"), ("main.py", b"print(1)\n"), ("data.bin", bytes(range(256))), ("read.me.md", b"# hi\n"), (".hidden", b"")]:
    (inbox / name).write_bytes(content)
(inbox / "sub" / "deep").mkdir(parents=True)
(inbox / "sub" / "deep" / "x.txt").write_text("hello\n")

hashes = defaultdict(list)
for path in sorted(inbox.rglob("*")):
    if path.is_file():
        hashes[hashlib.sha256(path.read_bytes()).hexdigest()[:12]].append(path.as_posix())
for digest, paths in hashes.items():
    print(digest, paths)

for path in sorted(inbox.iterdir()):
    if path.is_dir():
        continue
    kind = next((kind for kind, suffixes in KINDS.items() if path.suffix.lower() in suffixes), "other")
    target = Path("sorted") / kind / path.name.replace(" ", "_")
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.move(path, target)
    print(f"{path} -> {target} (stem {path.stem!r}, suffixes {path.suffixes})")
for folder, folders, files in os.walk("sorted"):
    folders.sort()
    print(folder, sorted(files))
print(sum(path.stat().st_size for path in Path("sorted").rglob("*") if path.is_file()), sorted(p.name for p in Path("sorted").glob("*/*.[tp]*")))
shutil.copytree("sorted", "backup", ignore=shutil.ignore_patterns("*.bin"))
print(sorted(path.relative_to("backup").as_posix() for path in Path("backup").rglob("*.*")))
shutil.rmtree("sorted")
print(Path("sorted").exists(), Path("backup").is_dir(), inbox.exists())
for act in (lambda: inbox.rmdir(), lambda: Path("nowhere").read_text(), lambda: Path("backup").mkdir(), lambda: os.rename("nope", "yes")):
    try:
        act()
    except OSError as error:
        print(type(error).__name__, error.strerror, error.filename)
print(PurePosixPath("/a/b/../c.tar.gz").with_suffix(".zip"), PureWindowsPath(r"C:\x\y.txt").parts, Path("a/b").joinpath("c").parents[1], Path("x").resolve())
print(os.path.splitext("a.tar.gz"), os.path.commonpath(["/a/b/c", "/a/b/d"]), os.path.normpath("a//b/./../c"), os.path.relpath("/a/b", "/a/c/d"))
