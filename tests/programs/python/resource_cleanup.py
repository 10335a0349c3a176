# shows when objects are made and deleted: __del__, with, and the end of the program
import gc


class Resource:
    count = 0

    def __init__(self, name):
        self.name = name
        Resource.count += 1
        print(f"Acquired {name}")

    def __enter__(self):
        return self

    def __exit__(self, exc_type, exc, tb):
        print(f"Released {self.name} ({exc_type.__name__ if exc_type else 'no error'})")
        return False

    def __del__(self):
        Resource.count -= 1
        print(f"Deleted {self.name}")


def scope():
    local = Resource("local")
    print("leaving the function")
    return local.name


with Resource("file") as r:
    print("using", r.name)
print(scope())
a = Resource("a")
b = a
del a
print("still there:", b.name)
b = None
print("replaced")
try:
    with Resource("socket"):
        raise ValueError("oops")
except ValueError as error:
    print("caught", error)
x, y = Resource("x"), Resource("y")
x.other, y.other = y, x
del x, y
print("collected", gc.collect() > 0)
pool = [Resource(f"p{n}") for n in range(3)]
pool.pop(1)
print("alive:", Resource.count)
keeper = Resource("keeper")
print("end of the program")
