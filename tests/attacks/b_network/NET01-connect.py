# NET01 connects to services of the host
# expect = ["denied", "absent"]
# --- twin
import socket
assert socket.inet_aton("127.0.0.1") == b"\x7f\0\0\1"
print("ok")
# --- attack
import socket
port = {{port}}
for host in ["127.0.0.1", "localhost", "0.0.0.0", "::1", "::ffff:127.0.0.1", "172.17.0.1", "169.254.169.254", "2130706433", "127.1"]:
    attempt("connect " + host, lambda: socket.create_connection((host, port), timeout=0.2))
attempt("bare", lambda: socket.socket().connect(("127.0.0.1", port)))
attempt("not blocking", lambda: socket.socket(socket.AF_INET, socket.SOCK_STREAM).connect_ex(("127.0.0.1", port)) and 1 / 0)
attempt("datagram", lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"x", ("127.0.0.1", port)))
attempt("datagram v6", lambda: socket.socket(socket.AF_INET6, socket.SOCK_DGRAM).sendto(b"x", ("::1", port)))
attempt("raw", lambda: socket.socket(socket.AF_INET, socket.SOCK_RAW, 1))
attempt("broadcast", lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"x", ("255.255.255.255", port)))
