# MEM03 decompresses a bomb
# limits = { fuel = 4_000_000_000 }
# expect = ["limited:memory", "denied", "limited:fuel"]
# --- twin
import zlib
assert len(zlib.decompress(zlib.compress(bytes(1 << 20)))) == 1 << 20
print("ok")
# --- attack
import zlib
bomb = zlib.compress(bytes(1 << 20), 9)
stream = zlib.compressobj()
packed = b"".join(stream.compress(bytes(1 << 20)) for _ in range(300)) + stream.flush()
kept = []
while True:
    kept.append(zlib.decompress(packed))
