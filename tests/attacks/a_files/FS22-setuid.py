# FS22 gives away files with the setuid bit
# artifacts = ["*"]
# expect = ["denied", "absent", "virtual"]
# --- twin
open("f", "w").write("1")
print("ok")
# --- attack
import os
open("f", "w").write("#!/bin/sh\n")
for name, change in [("chmod", lambda: os.chmod("f", 0o4755)), ("chown", lambda: os.chown("f", 0, 0)), ("fchmod", lambda: os.fchmod(os.open("f", os.O_RDWR), 0o4755))]:
    try:
        change()
    except (AttributeError, OSError, NotImplementedError):
        print("denied", name)
    if os.stat("f").st_mode & 0o6000:
        print("got", name)
