# STK02 leaves a value and an exception that fight whoever looks at them
# limits = { fuel = 500_000_000 }
# expect = ["denied", "limited:fuel", "limited:stack", "limited:memory"]
# --- twin
print("ok")
class Fine:
    def __repr__(self):
        return "fine"
Fine()
# --- attack
import builtins, sys
class Hostile(Exception):
    def __repr__(self):
        raise self
    def __str__(self):
        return str(self)
    __format__ = __hash__ = None
builtins.print = builtins.repr = builtins.str = builtins.isinstance = builtins.len = None
sys.stdout = sys.stderr = sys.excepthook = None
sys.modules.clear()
raise Hostile
