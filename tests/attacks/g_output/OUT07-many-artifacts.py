# OUT07 leaves as many and as large artifacts as it can
# artifacts = ["**"]
# limits = { files = 5000, workspace = "8MiB" }
# expect = ["virtual", "limited:files", "limited:workspace"]
# --- twin
open("a", "w").write("a")
print("ok")
# --- attack
for number in range(4000):
    open("f%d" % number, "w").write("x" * 100)
