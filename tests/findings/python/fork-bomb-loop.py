# expect: fork-bomb:6 process-spawn:6 fork-bomb:8 process-spawn:8
import itertools
import os

for _ in range(64):
    os.fork()
for _ in itertools.count():
    pid = os.fork()
