# FS11 renames, removes and replaces the roots that it stands on
# mounts = true
# expect = ["denied"]
# --- twin
import os
os.mkdir("d")
os.rename("d", "e")
os.rmdir("e")
print("ok")
# --- attack
import os
for root in ["/", "/work", "/tmp", "/read", "/write", "/usr", "/usr/lib/python3.14"]:
    attempt("rename " + root, lambda: os.rename(root, "/tmp/moved"))
    attempt("rmdir " + root, lambda: os.rmdir(root))
    attempt("unlink " + root, lambda: os.unlink(root))
    attempt("over " + root, lambda: os.rename("/write/sub", root))
    attempt("link over " + root, lambda: os.symlink("x", root))
