# FS17 fills a writable mount instead of the workspace
# mounts = true
# limits = { workspace = "2MiB" }
# expect = ["limited:workspace"]
# --- twin
open("/write/own.txt", "w").write("data\n")
print("ok")
# --- attack
for number in range(64):
    open("/write/f%d" % number, "wb").write(bytes(1 << 20))
print("got", number)
