# a warning of the compiler is shown once, however the text ends
# stderr = ["main.py:8: SyntaxWarning: \"is\" with "]
# stderr_lacks = ["small\")\nmain.py"]
import sys

number = int(sys.argv[1]) if len(sys.argv) > 1 else 2
try:
    print(number is 2 and "small")
except ValueError:
    pass
else:
    print("end")
