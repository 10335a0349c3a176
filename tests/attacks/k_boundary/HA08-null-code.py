# HA08 jumps to where no code is
# limits = { fuel = 1_000_000_000 }
# expect = ["denied", "trapped", "limited:memory", "limited:fuel", "limited:stack", "virtual"]
# --- twin
import types
assert types.CodeType
print("ok")
# --- attack
def f():
    pass
exec(f.__code__.replace(co_code=bytes(range(0, 200, 2)) * 20, co_consts=(), co_stacksize=0, co_names=()))
