# BLK06 waits for an event that nobody sets
# limits = { wall = "500ms" }
# expect = ["limited:wall", "limited:fuel", "denied", "trapped", "virtual"]
# --- twin
import threading
event = threading.Event()
event.set()
assert event.wait(1)
print("ok")
# --- attack
import threading
threading.Event().wait(3600)
