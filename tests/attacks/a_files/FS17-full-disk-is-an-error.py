# FS17 sees a full disk as an error that it can handle, and can go on
# limits = { workspace = "2MiB" }
# expect = ["virtual"]
# --- twin
import errno, os
try:
    open("all", "wb").write(bytes(4 << 20))
except OSError as error:
    assert error.errno in (errno.ENOSPC, errno.EDQUOT), error
os.unlink("all")
open("half", "wb").write(bytes(1 << 20))
print("ok")
# --- attack
import os
for again in range(200):
    try:
        with open("all", "wb") as file:
            file.write(bytes(3 << 20))
    except OSError:
        pass
    os.unlink("all")
