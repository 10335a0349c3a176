# FS06 follows links in circles and long chains
# limits = { wall = "2s" }
# expect = ["denied"]
# --- twin
import os
open("end", "w").write("1")
previous = "end"
for number in range(20):
    os.symlink(previous, "c%d" % number)
    previous = "c%d" % number
assert open(previous).read() == "1"
print("ok")
# --- attack
import os
os.symlink("b", "a")
os.symlink("a", "b")
os.symlink("self", "self")
os.symlink("x/x/x/x", "x")
for path in ["a", "b/c", "self", "x", "a/../b"]:
    attempt(path, lambda: open(path).read())
    attempt("stat " + path, lambda: os.stat(path))
open("end", "w").write("1")
previous = "end"
for number in range(60):
    os.symlink(previous, "c%d" % number)
    previous = "c%d" % number
attempt("a chain of 60", lambda: open(previous).read())
