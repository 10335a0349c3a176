# expect: process-spawn:8
import os
import socket

server = socket.create_server(("", 8000))
while True:
    connection, _ = server.accept()
    if os.fork() == 0:
        connection.sendall(b"hello")
        os._exit(0)
    connection.close()
