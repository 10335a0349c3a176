# expect:
import functools


class Plugin:
    pass


class One(Plugin):
    pass


@functools.wraps(print)
def call():
    return call.__globals__ is globals(), call.__code__.co_name


print(Plugin.__subclasses__(), One.__mro__, call(), eval("1", {"__builtins__": {}}))
