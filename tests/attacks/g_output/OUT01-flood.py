# OUT01 prints without end
# limits = { output = "64KiB" }
# expect = ["limited:output"]
# --- twin
print("ok")
# --- attack
while True:
    print("A" * 65536)
