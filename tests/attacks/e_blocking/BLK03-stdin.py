# BLK03 waits for input that never comes
# expect = ["denied"]
# --- twin
import sys
assert sys.stdin.read() == ""
print("ok")
# --- attack
import sys
assert sys.stdin.read() == "" and sys.stdin.readline() == "" and sys.stdin.buffer.read(1) == b""
attempt("input", lambda: input("?\n"))
