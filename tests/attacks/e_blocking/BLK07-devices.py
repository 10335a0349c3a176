# BLK07 reads from devices that never answer
# limits = { wall = "500ms" }
# expect = ["denied"]
# --- twin
import os
assert len(os.urandom(16)) == 16
print("ok")
# --- attack
for path in ["/dev/tty", "/dev/ptmx", "/dev/console", "/dev/kmsg", "/dev/mem", "/dev/fuse"]:
    attempt(path, lambda: open(path, "rb").read(1))
