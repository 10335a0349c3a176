# OUT01 prints without end and ignores every error
# limits = { output = "64KiB", fuel = 500_000_000 }
# expect = ["limited:output", "limited:fuel"]
# --- twin
print("ok")
# --- attack
import sys
while True:
    try:
        sys.stderr.write("A" * 65536)
    except BaseException:
        pass
