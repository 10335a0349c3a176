# expect: process-spawn:6 process-spawn:7 process-spawn:8 process-spawn:9
import os
import subprocess as sp
from os import popen as start

sp.run(["ls", "-l"])
os.system("ls")
print(start("ls").read())
os.execv("/bin/ls", ["ls"])
