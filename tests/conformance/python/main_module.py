# the program is `__main__`, for whoever looks
import sys
import typing


class Here:
    x: "int" = 1


print(__name__, sys.modules["__main__"].Here is Here, typing.get_type_hints(Here), Here.__module__)
if __name__ == "__main__":
    print("main")
