# CPU13 is nested deeper than a compiler's stack
# expect = ["denied", "limited:stack", "limited:memory", "limited:fuel"]
# --- twin
assert eval("(" * 50 + "1" + ")" * 50) == 1
print("ok")
# --- attack
for text in ["(" * 100_000, "-" * 200_000 + "1", "[" * 100_000 + "]" * 100_000, "not " * 100_000 + "1", "f'{" * 1000, "x" + ".y" * 200_000, "lambda:" * 50_000 + "1",
             "1" + "+1" * 200_000, "a=" * 100_000 + "1", "if 1:\n" * 10, "**" * 100_000, "@x\n" * 100_000 + "def f(): pass", "x" + "[0]" * 100_000, "x" + "()" * 100_000]:
    attempt(text[:6], lambda: compile(text, "bomb", "exec") and 1 / 0)
