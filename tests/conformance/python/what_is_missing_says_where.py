# what is missing says which tier or package has it, in a note
# only = "a container has it"
import asyncio
import importlib.util
import subprocess

for name in ("fcntl", "numpy", "PIL", "no_such.part", "json.part", "tkinter"):
    try:
        __import__(name)
    except ModuleNotFoundError as error:
        print(error.name, "|", error, "|", *getattr(error, "__notes__", ()))
print(importlib.util.find_spec("numpy"))
for action in (
    lambda: subprocess.run(["ls"], capture_output=True),
    lambda: asyncio.run(asyncio.create_subprocess_exec("ls")),
):
    try:
        action()
    except OSError as error:
        print(error.strerror)
