# NET11 talks to the daemons of the host over unix sockets
# expect = ["denied", "absent"]
# --- twin
import socket
assert socket.AF_INET
print("ok")
# --- attack
import socket
for path in ["/var/run/docker.sock", "/run/containerd/containerd.sock", "\0abstract", "{{outside}}/socket"]:
    attempt(path, lambda: socket.socket(socket.AF_UNIX, socket.SOCK_STREAM).connect(path))
