# FS17 deletes files that it keeps open, so that nobody sees what they take
# limits = { workspace = "2MiB" }
# expect = ["limited:workspace"]
# --- twin
import os
file = open("f", "wb")
os.unlink("f")
file.write(bytes(1 << 20))
file.close()
print("ok")
# --- attack
import os
kept = []
while len(kept) < 30:
    file = open("f", "wb", buffering=0)
    os.unlink("f")
    file.write(bytes(1 << 18))
    kept.append(file)
print("got", len(kept))
