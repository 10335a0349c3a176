# BLK07 reads devices that have no end
# limits = { wall = "2s" }
# expect = ["limited:memory"]
# --- twin
with open("/dev/zero", "rb") as zeros, open("/dev/urandom", "rb") as numbers:
    assert zeros.read(1 << 20) == bytes(1 << 20)
    assert len(numbers.read(1 << 20)) == 1 << 20
print("ok")
# --- attack
import sys
print(len(open("/dev/zero", "rb").read()), file=sys.stderr)
print("got all of it")
