# STK02 parses and prints things that are nested too deeply
# expect = ["denied", "limited:stack", "limited:memory", "limited:fuel"]
# --- twin
import json
assert json.loads("[" * 100 + "]" * 100)
print("ok")
# --- attack
import json
for text in ["[" * 100_000, "[" * 100_000 + "]" * 100_000, '{"a":' * 100_000, "[" * 3_000_000]:
    attempt(text[:2], lambda: json.loads(text) and 1 / 0)
