# PR17 opens more files than there may be
# limits = { open_files = 32 }
# expect = ["limited:open_files", "denied"]
# --- twin
kept = [open("f%d" % number, "w") for number in range(10)]
print("ok")
# --- attack
kept = []
for number in range(1_000_000):
    kept.append(open("f", "w"))
print("got", number)
