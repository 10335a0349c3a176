# FS09 changes a read-only mount in every other way
# mounts = true
# expect = ["denied", "absent", "virtual"]
# --- twin
import os
open("/write/new.txt", "w").write("1")
os.rename("/write/new.txt", "/write/newer.txt")
os.unlink("/write/newer.txt")
assert os.path.exists("/read/data.txt")
print("ok")
# --- attack
import os
attempt("append", lambda: open("/read/data.txt", "a").write("x"))
attempt("create", lambda: open("/read/new.txt", "w"))
attempt("exclusive", lambda: open("/read/new.txt", "x"))
attempt("utime", lambda: os.utime("/read/data.txt", (1, 1)))
# There are no modes, so this does nothing; that nothing happened outside is what counts.
try:
    os.chmod("/read/data.txt", 0o777)
    print("virtual chmod")
except (OSError, AttributeError):
    print("denied chmod")
attempt("chown", lambda: os.chown("/read/data.txt", 0, 0))
attempt("unlink", lambda: os.unlink("/read/data.txt"))
attempt("rename", lambda: os.rename("/read/data.txt", "/read/other.txt"))
attempt("mkdir", lambda: os.mkdir("/read/new"))
attempt("rmdir", lambda: os.rmdir("/read/sub"))
attempt("symlink", lambda: os.symlink("data.txt", "/read/link"))
attempt("link", lambda: os.link("/read/data.txt", "/read/link"))
attempt("unlink link", lambda: os.unlink("/read/link-up"))
