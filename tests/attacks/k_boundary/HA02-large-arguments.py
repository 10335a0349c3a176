# HA02 gives the host's functions large and deep arguments
# limits = { memory = "512MiB", fuel = 50_000_000_000, wall = "10s" }
# expect = ["denied", "limited:memory", "limited:stack"]
# --- twin
import glovebox
print("ok")
# --- attack
import glovebox
nested = []
for _ in range(500):
    nested = [nested]
attempt("deep", lambda: glovebox.call_tool("a", x=nested))
attempt("long", lambda: glovebox.call_tool("a", x="x" * (20 << 20)))
attempt("name", lambda: glovebox.call_tool("x" * (20 << 20)))
attempt("odd name", lambda: glovebox.call_tool("\0\n../x"))
attempt("surrogate", lambda: glovebox.call_tool("a", x="\ud800"))
attempt("nan", lambda: glovebox.call_tool("a", x=float("nan")))
