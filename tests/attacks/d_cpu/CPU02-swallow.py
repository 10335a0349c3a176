# CPU02 catches whatever is thrown at it
# limits = { fuel = 300_000_000 }
# expect = ["limited:fuel"]
# --- twin
try:
    raise KeyboardInterrupt
except BaseException:
    print("ok")
# --- attack
while True:
    try:
        while True:
            pass
    except BaseException:
        pass
    finally:
        continue
