# expect: exec-of-decoded-text:3 exec-of-decoded-text:4 exec-of-decoded-text:5 exec-of-decoded-text:6
numbers = [112, 114, 105, 110, 116, 40, 49, 41]
exec("".join(chr(number) for number in numbers))
eval(bytes(number ^ 5 for number in numbers))
exec("".join(map(chr, numbers)))
exec(")1(tnirp"[::-1])
