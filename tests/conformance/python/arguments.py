# arguments, environment and the program's own name
# name = "tool.py"
# arguments = ["--count", "3", "", "a b", "ü"]
# environment = { MODE = "test" }
import argparse
import os
import sys

print(sys.argv, __name__, os.environ["MODE"], os.environ.get("HOME"))
parser = argparse.ArgumentParser()
parser.add_argument("--count", type=int)
parser.add_argument("rest", nargs="*")
print(parser.parse_args())
print(os.path.basename(__file__))
