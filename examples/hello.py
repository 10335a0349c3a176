"""Shows that a plain program runs: `glovebox run examples/hello.py`."""

import sys

version = ".".join(map(str, sys.version_info[:2]))
print(f"Hello from Python {version}, inside the glovebox!")
