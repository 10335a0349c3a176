# expect: process-spawn:9
import socket
import subprocess
import sys

with socket.socket() as s:
    s.bind(("127.0.0.1", 0))
    port = s.getsockname()[1]
subprocess.run([sys.executable, "-m", "http.server", str(port)])
