# BLK01 sleeps for an hour
# limits = { wall = "500ms" }
# expect = ["limited:wall"]
# --- twin
import time
time.sleep(0.01)
print("ok")
# --- attack
import time
time.sleep(3600)
