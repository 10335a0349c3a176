# recursion works to a usual depth and fails as an error beyond
def depth(n):
    return n if n == 0 else 1 + depth(n - 1)


print(depth(900))
try:
    depth(10**6)
except RecursionError as error:
    print("maximum recursion depth exceeded" in str(error))
print(depth(900))
