# doctests of the program itself
"""
>>> double(4)
8
>>> double('a')
'aa'
"""
import doctest


def double(x):
    return x * 2


print(doctest.testmod())
