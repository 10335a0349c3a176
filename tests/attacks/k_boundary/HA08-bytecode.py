# HA08 runs code that no compiler made
# limits = { fuel = 1_000_000_000 }
# expect = ["denied", "trapped", "virtual", "limited:memory", "limited:fuel", "limited:stack", "absent"]
# --- twin
import marshal
assert eval(marshal.loads(marshal.dumps(compile("1 + 1", "x", "eval")))) == 2
print("ok")
# --- attack
import marshal, random, types
def real(a, b=2):
    return [a for _ in range(b)]
generator = random.Random(1)
for round in range(200):
    code = bytearray(real.__code__.co_code)
    for _ in range(4):
        code[generator.randrange(len(code))] = generator.randrange(256)
    try:
        types.FunctionType(real.__code__.replace(co_code=bytes(code)), {})(1)
    except Exception:
        pass
data = bytearray(marshal.dumps(real.__code__))
for round in range(200):
    broken = bytearray(data)
    for _ in range(4):
        broken[generator.randrange(len(broken))] = generator.randrange(256)
    try:
        marshal.loads(bytes(broken))
    except Exception:
        pass
