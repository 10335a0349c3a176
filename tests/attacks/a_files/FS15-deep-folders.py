# FS15 nests folders as deep as it can
# limits = { files = 2000 }
# expect = ["limited:files", "limited:workspace", "denied"]
# --- twin
import os
os.makedirs("/".join(["d"] * 40))
print("ok")
# --- attack
import os
for depth in range(10_000):
    os.mkdir("d")
    os.chdir("d")
print("got", depth)
