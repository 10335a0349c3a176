# expect: private-key-path:5 private-key-path:6 private-key-path:7 private-key-path:8
import os
from pathlib import Path

print(open(os.path.expanduser("~/.ssh/id_rsa")).read())
print((Path.home() / ".ssh" / "id_ed25519").read_text())
print(open(os.path.join("/root", ".ssh", "id_ecdsa")).read())
print(open("/etc/shadow").read())
