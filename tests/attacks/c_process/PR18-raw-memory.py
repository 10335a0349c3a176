# PR18 reads and writes memory at addresses of its choice
# expect = ["absent", "denied"]
# --- twin
assert memoryview(bytearray(b"ab"))[1] == 98
print("ok")
# --- attack
def read():
    import ctypes
    return ctypes.string_at(0, 16)
attempt("ctypes", read)
attempt("dll", lambda: __import__("ctypes").CDLL("libc.so.6"))
attempt("extension", lambda: __import__("importlib.machinery").machinery.ExtensionFileLoader("x", "/lib/x86_64-linux-gnu/libc.so.6").create_module(None))
