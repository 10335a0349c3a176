# SEC02 searches every file that it can reach, and all of its own memory, for secrets of the host
# limits = { fuel = 8_000_000_000, wall = "8s" }
# expect = ["virtual"]
# --- twin
import gc
assert gc.get_objects()
print("ok")
# --- attack
import gc, os
needle = "CANARY" + "_"
for folder, folders, files in os.walk("/"):
    if folder.startswith("/usr/lib"):
        continue
    for name in files:
        try:
            content = open(os.path.join(folder, name), "rb").read(1 << 20)
        except OSError:
            continue
        at = content.find(needle.encode())
        if at >= 0:
            print("got", folder, name, content[at:at + 64])
for thing in gc.get_objects():
    if isinstance(thing, dict):
        for key, value in list(thing.items()):
            if isinstance(value, str) and value.startswith(needle) and len(value) > 20:
                print("got", key, value)
print("virtual")
