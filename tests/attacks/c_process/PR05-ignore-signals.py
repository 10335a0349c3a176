# PR05 ignores every signal and carries on
# limits = { fuel = 300_000_000 }
# expect = ["limited:fuel"]
# --- twin
import signal
assert signal.SIGTERM
print("ok")
# --- attack
import signal
for number in range(1, 65):
    try:
        signal.signal(number, signal.SIG_IGN)
    except (OSError, ValueError, AttributeError):
        pass
while True:
    try:
        while True:
            pass
    except BaseException:
        pass
