"""Shows what a program that means no good finds: nothing of the host.

    glovebox run examples/hostile.py
"""

import os
import socket
import subprocess


def attempt(what, action):
    """Tries something that a program should not be able to do, and says what came of it."""
    try:
        print(f"{what}: GOT {action()!r}")
    except Exception as error:
        print(f"{what}: {type(error).__name__}: {error}")


attempt("read the host's users", lambda: open("/etc/passwd").read())
attempt("climb out of the workspace", lambda: open("../../../etc/hostname").read())
attempt("start a program", lambda: subprocess.run(["id"], capture_output=True).stdout)
attempt("reach the network", lambda: socket.create_connection(("192.0.2.1", 80), timeout=2))
print("variables that it sees:", sorted(os.environ))
print("files that it sees:", sorted(os.listdir(".")))
