# expect: dynamic-code:4 process-spawn:4 dynamic-code:5
import os

if True: eval(input()); os.system("ls"); os.system("ls")
eval(input())
