# expect: metadata-address:5 metadata-address:6 metadata-address:7 metadata-address:8 metadata-address:9 metadata-address:11 metadata-address:12 metadata-address:13
import socket
from urllib.request import urlopen

HOST = "169.254.169.254"
print(urlopen("http://metadata.google.internal/computeMetadata/v1/").read())
socket.create_connection(("100.100.100.200", 80))
print(urlopen("http://2852039166/latest/"))
print(urlopen("http://0xA9FEA9FE/"), urlopen("http://0251.0376.0251.0376/"))
path = "iam"
print(urlopen(f"http://169.254.169.254/latest/{path}"), urlopen("http://[fd00:ec2::254]/"))
print("curl -s 169.254.169.254/latest/meta-data")
print(urlopen("http://169.254." + "170.2/v2/"), socket.inet_ntoa((2852039166).to_bytes(4)))
