# CPU13 is itself the text that is nested too deeply
# expect = ["denied", "limited:stack", "limited:memory", "limited:fuel"]
# --- twin
print("ok" if ((((1)))) else "")
# --- attack
eval("(" * 100_000)
