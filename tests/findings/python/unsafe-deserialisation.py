# expect: unsafe-deserialisation:8 unsafe-deserialisation:9 unsafe-deserialisation:11
import base64
import pickle
import socket

import requests

pickle.loads(base64.b64decode("gASVBQAAAAAAAABLAS4="))
pickle.loads(requests.get("https://example.com/model").content)
connection = socket.create_connection(("example.com", 80))
pickle.loads(connection.recv(4096))
