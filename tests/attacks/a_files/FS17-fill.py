# FS17 writes until the disk is full
# limits = { workspace = "2MiB" }
# expect = ["limited:workspace"]
# --- twin
open("half", "wb").write(bytes(1 << 20))
print("ok")
# --- attack
with open("all", "wb") as file:
    while True:
        file.write(bytes(1 << 18))
