# FS25 makes named pipes, devices and sockets
# mounts = true
# expect = ["denied", "absent"]
# --- twin
import os
os.mkdir("d")
print("ok")
# --- attack
import os, socket
for place in ["fifo", "/write/fifo"]:
    attempt("mkfifo", lambda: os.mkfifo(place))
    attempt("mknod", lambda: os.mknod(place, 0o20666, 0x103))
def listen():
    server = socket.socket(socket.AF_UNIX)
    server.bind("/write/socket")
attempt("unix socket", listen)
