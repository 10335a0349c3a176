"""Builtins of the guest: which do the guest's own functions use?

A copy made before any program runs. A function looks its builtins up where its module's `__builtins__` pointed when it was defined, so
every module here begins with `from glovebox_guest.own import __builtins__`, and a program that replaces `print`, `isinstance` or
`len` breaks itself only.
"""

import builtins

__builtins__ = dict(vars(builtins))
