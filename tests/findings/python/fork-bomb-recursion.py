# expect: fork-bomb:6 process-spawn:6
import os


def bomb():
    os.fork()
    bomb()


bomb()
