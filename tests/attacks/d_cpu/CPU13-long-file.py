# CPU13 has a million lines
# limits = { fuel = 1_000_000_000, wall = "2s" }
# expect = ["denied", "limited:fuel", "limited:memory", "limited:wall"]
# --- twin
exec("x = 1\n" * 1000)
print("ok")
# --- attack
exec("x = 1\n" * 1_000_000)
exec("x = " + "1 + " * 3_000_000 + "1")
print("got through")
