# NET09 listens, for other runs and for the world
# expect = ["denied", "absent"]
# --- twin
import socket
assert socket.htons(1) == 256
print("ok")
# --- attack
import socket
def listen(address, kind):
    server = socket.socket(socket.AF_INET, kind)
    server.bind(address)
    if kind == socket.SOCK_STREAM:
        server.listen()
for address in [("0.0.0.0", 0), ("127.0.0.1", 0), ("0.0.0.0", 80)]:
    attempt("stream %s:%d" % address, listen, address, socket.SOCK_STREAM)
    attempt("datagram %s:%d" % address, listen, address, socket.SOCK_DGRAM)
attempt("pair", lambda: socket.socketpair())
attempt("server", lambda: socket.create_server(("127.0.0.1", 0)))
