# MEM01 asks for lists of hundreds of millions
# expect = ["limited:memory", "denied"]
# --- twin
assert len([0] * 10 ** 6) == 10 ** 6
print("ok")
# --- attack
attempt("literal", lambda: [0] * 10 ** 8)
attempt("overflow", lambda: [0] * 2 ** 31)
attempt("shift", lambda: 1 << 2 ** 40)
[[0] * 10 ** 6 for _ in range(10 ** 6)]
