# BLK06 takes from a queue that stays empty
# limits = { wall = "500ms" }
# expect = ["limited:wall", "limited:fuel", "denied", "trapped", "virtual"]
# --- twin
import queue
things = queue.Queue()
things.put(1)
assert things.get() == 1
print("ok")
# --- attack
import queue
queue.Queue().get()
