# `__del__` of what a program leaves behind, after its threads and its callbacks
import atexit
import threading
import time


class Thing:
    def __init__(self, name):
        self.name = name

    def __del__(self):
        print("deleted", text(self.name))


def text(name):
    return f"<{name}>"


def steps():
    try:
        yield 1
    finally:
        print("generator closed", text("late"))


thing = Thing("global")
ring = Thing("ring")
ring.itself = ring
going = steps()
next(going)
file = open("left.txt", "w")
file.write("kept")
short = Thing("short")
del short
atexit.register(print, "callback")
threading.Thread(target=lambda: print("thread") if not time.sleep(0.1) else None).start()
print("last line")
