# a statement has no value
x = 42
