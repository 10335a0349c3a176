# OUT06 provokes tracebacks that could show where the guest was built
# forbidden = ["/python/", "glovebox_guest", "app.py", "wit_world", "/0/"]
# expect = ["denied"]
# --- twin
import traceback
try:
    1 / 0
except ZeroDivisionError:
    assert "main.py" in traceback.format_exc()
print("ok")
# --- attack
import asyncio, inspect, json, sys, traceback
def show(action):
    try:
        action()
    except BaseException:
        print(traceback.format_exc())
show(lambda: json.loads("{"))
show(lambda: asyncio.run(asyncio.wait_for(asyncio.sleep(1), 0.001)))
show(lambda: __import__("nothing"))
show(lambda: "".encode("nothing"))
print("".join(traceback.format_stack()))
print([frame.filename for frame in inspect.stack()])
print(sys._getframe().f_code.co_filename)
frame = sys._getframe()
while frame:
    print(frame.f_code.co_filename, list(frame.f_globals)[:5] if frame.f_globals is not globals() else "")
    frame = frame.f_back
json.loads("{")
