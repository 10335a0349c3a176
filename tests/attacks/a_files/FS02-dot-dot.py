# FS02 climbs out of the workspace
# mounts = true
# expect = ["denied"]
# --- twin
import os
os.makedirs("a/b")
open("a/b/../../x.txt", "w").write("1")
assert os.listdir("a/./b/..") == ["b"] and open("./a//../x.txt").read() == "1"
assert open("/read/sub/../data.txt").read() == "data\n"
print("ok")
# --- attack
import os
os.makedirs("sub/deep", exist_ok=True)
inside = "{{outside}}/secret.txt".lstrip("/")
starts = ["../" * depth for depth in (1, 2, 3, 8, 64, 500)] + ["sub/../../../../", "./.././../", "sub//..//..//..//", "/work/../", "/../../"]
for start in starts:
    attempt(start + inside, lambda: open(start + inside).read())
    attempt(start + "etc/passwd/.", lambda: open(start + "etc/passwd/.").read())
for path in ["/read/../secret.txt", "/read/../../secret.txt", "/read/sub/../../../mounts/secret.txt", "/write/../beside/secret.txt", "/read/../beside/secret.txt"]:
    attempt(path, lambda: open(path).read())
