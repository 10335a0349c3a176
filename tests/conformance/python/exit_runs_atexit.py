# what is registered for the end runs at the end
# exit = 0
import atexit
import sys

atexit.register(print, "at exit")
print("before")
sys.exit()
