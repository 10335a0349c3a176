# `__del__` of globals of a program that ends with an error
# exit = 3
import sys


def make(name):
    return type("Kind", (), {"__del__": lambda self: sys.stdout.write(f"{name}\n")})()


one = make("one")
two = [make("two")]
print("before")
sys.exit(3)
