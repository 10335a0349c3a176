# FS05 makes relative links to above, then moves them to where they lead further up
# mounts = true
# expect = ["denied"]
# --- twin
import os
os.makedirs("a/b")
open("f", "w").write("1")
os.symlink("../f", "a/up")
assert open("a/up").read() == "1"
print("ok")
# --- attack
import os
os.makedirs("deep/deeper")
for name, target in [("l", ".."), ("m", "../.."), ("n", "../../../../../../..")]:
    try:
        os.symlink(target, name)
    except OSError:
        pass
outside = "{{outside}}/secret.txt"
for path in ["l/l/l/l/l" + outside, "m/m/m" + outside, "n" + outside, "l/../../.." + outside]:
    attempt(path, lambda: open(path).read())
for name in "lmn":
    try:
        os.rename(name, "/write/" + name)
    except OSError:
        pass
    try:
        os.symlink("..", "/write/sub/" + name)
        os.rename("/write/sub/" + name, "/write/" + name)
    except OSError:
        pass
    attempt("moved " + name, lambda: open("/write/" + name + "/secret.txt").read())
    attempt("moved far " + name, lambda: open("/write/" + name + "/" + name + "/" + name + outside).read())
