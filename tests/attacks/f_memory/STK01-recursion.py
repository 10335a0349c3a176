# STK01 recurses without end
# expect = ["denied", "limited:stack", "limited:memory", "limited:fuel"]
# --- twin
def down(depth):
    return 0 if depth == 0 else 1 + down(depth - 1)
assert down(500) == 500
print("ok")
# --- attack
import sys
def down():
    down()
attempt("default", down)
try:
    sys.setrecursionlimit(10 ** 9)
except (OverflowError, ValueError):
    print("denied")
down()
