# HA03 calls the host without end
# limits = { host_calls = 20 }
# expect = ["denied", "limited:host_calls"]
# --- twin
import glovebox
print("ok")
# --- attack
import glovebox
for number in range(100_000):
    try:
        glovebox.call_tool("nothing", number=number)
    except Exception:
        if number > 500:
            raise
