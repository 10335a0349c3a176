# PR03 runs commands of the host
# expect = ["absent", "denied"]
# --- twin
import shlex
assert shlex.split("a b") == ["a", "b"]
print("ok")
# --- attack
import os, subprocess
touch = "touch {{outside}}/touched"
attempt("system", lambda: os.system(touch) != 0 and 1 / 0)
attempt("popen", lambda: os.popen(touch).read())
attempt("run", lambda: subprocess.run(touch, shell=True))
attempt("list", lambda: subprocess.check_output(["/bin/sh", "-c", touch]))
for name in ["execv", "execve", "execvp"]:
    arguments = ("/bin/sh", ["sh", "-c", touch]) + (({},) if name == "execve" else ())
    attempt(name, lambda: getattr(os, name)(*arguments))
def terminal():
    import pty
    pty.spawn("/bin/sh")
attempt("pty", terminal)
attempt("signal", lambda: os.kill(1, 9))
