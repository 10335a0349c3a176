# MEM01 asks for a text of a gigabyte
# expect = ["limited:memory", "denied"]
# --- twin
assert len("a" * 2 ** 20) == 2 ** 20
print("ok")
# --- attack
"a" * 2 ** 30
