# FS17 makes files that are large only on paper
# limits = { workspace = "2MiB" }
# expect = ["denied", "absent"]
# --- twin
import os
with open("f", "wb") as file:
    file.seek(1 << 20)
    file.write(b"x")
assert os.path.getsize("f") == (1 << 20) + 1
print("ok")
# --- attack
import os
def far(where):
    with open("sparse", "wb") as file:
        file.seek(where)
        file.write(b"x")
for where in (1 << 24, 1 << 31, 1 << 40, (1 << 63) - 2):
    attempt("seek %d" % where, far, where)
    attempt("truncate %d" % where, lambda: os.truncate("sparse", where))
    attempt("allocate %d" % where, lambda: os.posix_fallocate(os.open("sparse", os.O_RDWR), 0, where))
