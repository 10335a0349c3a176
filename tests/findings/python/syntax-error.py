# expect:
import os
os.system("ls"
