# expect: exec-of-decoded-text:11 dynamic-code:15 exec-of-decoded-text:18 exec-of-decoded-text:19 process-spawn:19
import base64
import os


class Loader:
    def __init__(self):
        self.text = base64.b85decode("VPa!qWpZJ2")

    def run(self):
        exec(self.text)


def execute(code):
    exec(code)


execute(bytes.fromhex("7072696e742831 29").decode())
os.system(base64.b64decode("bHM=").decode())
