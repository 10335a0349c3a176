# FS18 leaves files everywhere for the next run to find
# expect = ["virtual", "denied"]
# --- twin
import os
assert not os.path.exists("/tmp/mark") and not os.path.exists("mark")
print("ok")
# --- attack
import os
for place in ["mark", "/tmp/mark", "/dev/shm/mark", "/usr/lib/python3.14/site-packages/mark.py", "/usr/lib/python3.14/sitecustomize.py", "/root/.bashrc", "/work/usercustomize.py"]:
    try:
        open(place, "w").write("print('got mark')")
        print("virtual", place)
    except OSError:
        print("denied", place)
# --- next
import os
for folder, folders, files in os.walk("/"):
    assert not [name for name in files if "mark" in name or "customize" in name], (folder, files)
print("ok")
