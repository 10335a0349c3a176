# None is no value
print("only this")
