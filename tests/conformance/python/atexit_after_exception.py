# callbacks of atexit run after an uncaught exception, and one that fails is reported
# exit = 1
# raises = "KeyError"
# stderr = ["KeyError: 'the program'", "Exception ignored in atexit callback", "ZeroDivisionError"]
import atexit

atexit.register(print, "second")
atexit.register(lambda: 1 / 0)
atexit.register(print, "first")
try:
    raise KeyError("the program")
finally:
    print("finally")
