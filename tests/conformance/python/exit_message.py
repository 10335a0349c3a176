# sys.exit with a message
# exit = 1
# stderr = ["that was it"]
import sys

sys.exit("that was it")
