# the user's home is the workspace, unless the environment says otherwise
import os
from pathlib import Path

print(Path.home(), os.path.expanduser("~"), os.path.expanduser("~/a/b"), os.path.expanduser(b"~/c"), os.path.expanduser("a~"))
print(Path("~/x").expanduser(), os.path.expanduser("~other/x"), "HOME" in os.environ)
cache = Path.home() / ".cache" / "tool"
cache.mkdir(parents=True)
(cache / "entry").write_text("kept")
print(Path("~/.cache/tool/entry").expanduser().read_text())
os.environ["HOME"] = "/tmp"
print(Path.home(), os.path.expanduser("~/x"))
