# FS19 changes the standard library that all runs share
# expect = ["denied", "absent"]
# --- twin
import json, colorsys
assert colorsys.rgb_to_hls(0, 0, 0) == (0.0, 0.0, 0.0)
print("ok")
# --- attack
import os
library = "/usr/lib/python3.14"
for path in [library + "/json/__init__.py", library + "/colorsys.py", library + "/evil.py", library + "/__pycache__/evil.cpython-314.pyc"]:
    attempt("write " + path, lambda: open(path, "w"))
    attempt("append " + path, lambda: open(path, "ab"))
    attempt("change " + path, lambda: open(path, "r+b"))
    attempt("unlink " + path, lambda: os.unlink(path))
    attempt("utime " + path, lambda: os.utime(path, (1, 1)))
for name in os.listdir(library + "/__pycache__")[:20]:
    attempt("write " + name, lambda: open(library + "/__pycache__/" + name, "r+b"))
attempt("mkdir", lambda: os.mkdir(library + "/evil"))
attempt("symlink", lambda: os.symlink("json", library + "/evil"))
# --- next
import importlib.util
assert importlib.util.find_spec("evil") is None
print("ok")
