# opens files that may be missing or wrong, and says what happened
import json
import os
import shutil
from pathlib import Path


def read_json(path):
    try:
        with open(path, encoding="utf-8") as file:
            data = json.load(file)
    except FileNotFoundError as e:
        print(f"Error: {e}")
        return {}
    except IsADirectoryError as e:
        print(f"Directory: {e}")
        return {}
    except json.JSONDecodeError as e:
        print(f"Invalid JSON in {path}: {e.msg} (line {e.lineno}, column {e.colno})")
        return None
    except OSError as e:
        print(f"I/O error({e.errno}): {e.strerror}")
        return {}
    else:
        print(f"Loaded {len(data)} keys from {path}")
        return data
    finally:
        print(f"Finished {path}")


os.makedirs("data", exist_ok=True)
Path("data/good.json").write_text('{"a": 1, "b": [1, 2]}')
Path("data/bad.json").write_text('{"a": 1,\n "b": }')
for name in ("data/good.json", "data/bad.json", "data/none.json", "data"):
    print(read_json(name))
attempts = {
    "mkdir": lambda: os.mkdir("data"),
    "rmdir": lambda: os.rmdir("data"),
    "remove": lambda: os.remove("nothing.txt"),
    "listdir": lambda: os.listdir("data/good.json"),
    "rename": lambda: os.rename("nothing.txt", "other.txt"),
    "open x": lambda: open("data/good.json", "x"),
    "parent": lambda: open("missing/dir/file.txt", "w"),
    "mode": lambda: open("data/good.json", "q"),
    "closed": lambda: open("data/good.json").close() or Path("data/good.json").open().__exit__(),
    "copy": lambda: shutil.copy("data/none.json", "x"),
    "same": lambda: shutil.copyfile("data/good.json", "data/good.json"),
    "not writable": lambda: open("data/good.json").write("x"),
    "seek": lambda: open("data/good.json").seek(-1),
    "tree": lambda: shutil.copytree("data", "data"),
    "stat": lambda: Path("nothing.txt").stat(),
    "unlink": lambda: Path("nothing.txt").unlink(),
    "touch": lambda: Path("data").touch(exist_ok=False),
}
for name, attempt in attempts.items():
    try:
        print(name, attempt())
    except (OSError, ValueError, shutil.Error) as e:
        print(f"{name}: {type(e).__name__}: {e}")
Path("nothing.txt").unlink(missing_ok=True)
print(os.path.exists("data/good.json"), os.path.isfile("data"), os.path.getsize("data/bad.json"), sorted(os.listdir("data")))
with open("data/lines.txt", "w") as f:
    print(f.write("one\ntwo\nthree"), f.tell(), f.name, f.mode, f.closed, f.encoding, f.readable())
with open("data/lines.txt", "r+") as f:
    print(f.readline(), f.read(4), f.tell(), f.seek(0), f.truncate(3), f.read())
