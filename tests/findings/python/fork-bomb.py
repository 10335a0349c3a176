# expect: fork-bomb:5 process-spawn:5
import os

while True:
    os.fork()
