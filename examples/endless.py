"""Shows a limit: `glovebox run --wall 1s examples/endless.py` ends with 124 after a second."""

while True:
    pass
