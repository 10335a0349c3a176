# BLK01 sleeps longer than arithmetic allows
# limits = { wall = "500ms" }
# expect = ["limited:wall", "denied"]
# --- twin
import time
time.sleep(0)
print("ok")
# --- attack
import time
for seconds in [float("inf"), float("nan"), -1, 1e300]:
    attempt(str(seconds), lambda: time.sleep(seconds))
time.sleep(9e9)
