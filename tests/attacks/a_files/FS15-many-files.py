# FS15 makes more files than granted
# limits = { files = 100 }
# expect = ["limited:files"]
# --- twin
for number in range(50):
    open(str(number), "w").close()
print("ok")
# --- attack
for number in range(10_000):
    open(str(number), "w").close()
print("got", number)
