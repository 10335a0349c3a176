# expect:
import os
import socket

s = socket.create_connection(("example.com", 80))
s.sendall(b"GET / HTTP/1.0\r\n\r\n")
log = os.open("log.txt", os.O_WRONLY | os.O_CREAT)
os.dup2(log, 2)
print(s.recv(4096), "/bin/sh", "/dev/null", "bash")
