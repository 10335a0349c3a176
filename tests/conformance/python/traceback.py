# an uncaught exception shows the program's file and line, and nothing of where the guest was built
# exit = 1
# raises = "ZeroDivisionError"
# stderr = ["Traceback (most recent call last):\n", "File \"main.py\", line 12, in <module>\n    outer(0)\n", "line 9, in outer\n    return 1 / number", "ZeroDivisionError: division by zero\n"]
# stderr_lacks = ["glovebox_guest", "app.py", "/python/", "/home/", "exec("]


def outer(number):
    return 1 / number


outer(0)
