# MEM01 asks for two gigabytes at once
# expect = ["limited:memory", "denied"]
# --- twin
data = bytearray(32 << 20)
data[-1] = 1
print("ok")
# --- attack
bytearray(2 ** 31 - 100)
