# os._exit ends at once, with its code
# exit = 7
import atexit
import os

atexit.register(print, "at exit")


class Manager:
    def __enter__(self):
        return self

    def __exit__(self, *_):
        print("left")


def deep(level):
    if level:
        return deep(level - 1)
    print("leaving")
    os._exit(263)


try:
    with Manager():
        try:
            deep(3)
        except BaseException:
            print("caught")
finally:
    print("finally")
