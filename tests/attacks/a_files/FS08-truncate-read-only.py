# FS08 truncates a file that may only be read
# mounts = true
# expect = ["denied"]
# --- twin
import os
assert open("/read/data.txt").read() == "data\n"
file = os.open("/write/own.txt", os.O_WRONLY | os.O_TRUNC)
os.write(file, b"data\n")
os.close(file)
print("ok")
# --- attack
import os
for name, flags in [("only", os.O_TRUNC), ("write", os.O_WRONLY | os.O_TRUNC), ("both", os.O_RDWR | os.O_TRUNC), ("create", os.O_CREAT | os.O_TRUNC)]:
    for path in ["/read/data.txt", "/read/sub/data.txt", "/usr/lib/python3.14/json/__init__.py"]:
        attempt(name + " " + path, lambda: os.open(path, flags))
file = os.open("/read/data.txt", os.O_RDONLY)
attempt("ftruncate", lambda: os.ftruncate(file, 0))
attempt("write", lambda: os.write(file, b"x"))
attempt("truncate", lambda: os.truncate("/read/data.txt", 0))
