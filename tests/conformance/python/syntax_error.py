# a syntax error points at its place
# exit = 1
# raises = "SyntaxError"
# stderr = ["File \"main.py\", line 5", "x = (1 +", "SyntaxError: '(' was never closed"]
x = (1 +
