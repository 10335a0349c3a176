# callbacks of atexit run when a program ends by itself, after its threads
import atexit
import logging.handlers
import threading
import time
import weakref


def late():
    time.sleep(0.01)
    print("the thread ends")


class Thing:
    pass


@atexit.register
def last():
    print("last")


thing = Thing()
weakref.finalize(thing, print, "finalized")
atexit.register(print, "first", end="\n\n")
atexit.unregister(len)
handler = logging.handlers.MemoryHandler(100, target=logging.FileHandler("program.log"))
logging.getLogger().addHandler(handler)
threading.Thread(target=late).start()
print("the program ends")
