# CPU08 fills a dictionary with keys of one hash (the modulus of a 32-bit build)
# limits = { fuel = 500_000_000, wall = "1s" }
# expect = ["limited:fuel", "limited:wall"]
# --- twin
assert len({number: 1 for number in range(1000)}) == 1000
print("ok")
# --- attack
import sys
modulus = sys.hash_info.modulus
{modulus * number: 1 for number in range(1, 1_000_000)}
