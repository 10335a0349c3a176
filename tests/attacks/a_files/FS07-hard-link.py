# FS07 links a read-only file to where it may write
# mounts = true
# expect = ["denied"]
# --- twin
import os
open("f", "w").write("1")
os.link("f", "g")
open("g", "a").write("2")
assert open("f").read() == "12"
print("ok")
# --- attack
import os
for source in ["/read/data.txt", "/read/link-up", "/write/link-secret", "/usr/lib/python3.14/json/__init__.py"]:
    for target in ["/write/stolen", "/write/sub/stolen", "stolen", "/tmp/stolen"]:
        attempt("link %s %s" % (source, target), lambda: os.link(source, target))
attempt("rename", lambda: os.rename("/read/data.txt", "/write/stolen"))
attempt("replace", lambda: os.replace("/write/own.txt", "/read/data.txt"))
