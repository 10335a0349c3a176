# MEM02 grows slowly and for ever
# limits = { fuel = 4_000_000_000 }
# expect = ["limited:memory"]
# --- twin
kept = [bytes(1 << 20) for _ in range(30)]
print("ok")
# --- attack
kept = []
while True:
    kept.append(bytearray(1 << 20))
