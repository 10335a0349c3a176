# FS18 leaves files everywhere for the next run to find
# expect = ["virtual", "denied"]
# --- twin
import os
assert not os.path.exists("/tmp/leftover") and not os.path.exists("leftover")
print("ok")
# --- attack
import os
for place in ["leftover", "/tmp/leftover", "/dev/shm/leftover", "/usr/lib/python3.14/site-packages/leftover.py", "/usr/lib/python3.14/sitecustomize.py", "/root/.bashrc", "/work/usercustomize.py"]:
    try:
        open(place, "w").write("print('got leftover')")
        print("virtual", place)
    except OSError:
        print("denied", place)
# --- next
import os
for folder, folders, files in os.walk("/"):
    assert not [name for name in files if "leftover" in name or "usercustomize" in name], (folder, files)
print("ok")
