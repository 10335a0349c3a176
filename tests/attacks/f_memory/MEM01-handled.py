# MEM01 sees that there is no more memory, as an error, and goes on
# expect = ["denied"]
# --- twin
try:
    bytearray(2 ** 30)
except MemoryError:
    print("ok")
# --- attack
for _ in range(100):
    attempt("bytes", lambda: bytearray(2 ** 30))
