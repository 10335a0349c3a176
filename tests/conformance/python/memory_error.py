# too much memory is an error that can be handled
try:
    data = bytearray(2**31 - 1000)
except MemoryError:
    print("MemoryError")
print(sum(range(10)))
