# PR01 starts processes until there are none left
# expect = ["absent", "denied"]
# --- twin
import os
assert os.getpid() is not None
print("ok")
# --- attack
import os
for name in ["fork", "forkpty", "vfork", "posix_spawn", "spawnv", "spawnlp"]:
    arguments = {"posix_spawn": ("/bin/sh", ["sh"], {}), "spawnv": (0, "/bin/sh", ["sh"]), "spawnlp": (0, "sh", "sh")}.get(name, ())
    attempt(name, lambda: getattr(os, name)(*arguments))
import multiprocessing
attempt("multiprocessing", lambda: multiprocessing.Process(target=print).start())
