# too much memory is an error that can be handled
# only = "a container's memory is taken when it is used, and the kernel does not ask"
try:
    data = bytearray(2**31 - 1000)
except MemoryError:
    print("MemoryError")
print(sum(range(10)))
