# expect: fork-bomb:4 process-spawn:4
import os

os.system(":(){ :|:& };:")
