# expect:
"""Runs subprocess.run and os.system, says this text, and does not."""
import platform
import subprocess

# os.system("ls")
words = ["fork", "spawn", "os.system", "popen"]
print(platform.system(), words)
try:
    raise subprocess.CalledProcessError(1, "ls")
except subprocess.CalledProcessError as error:
    print(error.returncode, subprocess.PIPE)


class Game:
    def spawn(self):
        return self.system("fork")

    def system(self, word):
        return word


Game().spawn()
