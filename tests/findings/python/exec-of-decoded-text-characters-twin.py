# expect:
numbers = [112, 114, 105, 110, 116]
print("".join(chr(number) for number in numbers), bytes(number ^ 5 for number in numbers), "abc"[::-1])
print(eval("len('abc') + 1"))
