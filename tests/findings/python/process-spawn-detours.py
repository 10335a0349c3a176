# expect: process-spawn:6 process-spawn:7 process-spawn:8 process-spawn:9 process-spawn:10 process-spawn:11 process-spawn:12
import importlib
import os
import sys

getattr(os, "sys" + "tem")("ls")
__import__("subprocess").run(["ls"])
importlib.import_module("".join(["sub", "process"])).call("ls")
sys.modules["os"].popen("ls")
vars(os)["system"]("ls")
run = os.system
run("ls")
