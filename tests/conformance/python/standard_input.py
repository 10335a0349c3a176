# standard input, by line, by input() and whole
# stdin = "first\nsecond\nüñí\nrest 1\nrest 2"
import sys

print(repr(input("name? ")))
print(repr(sys.stdin.readline()))
print(next(sys.stdin).strip())
print(sys.stdin.read().splitlines())
try:
    input()
except EOFError:
    print("end")
