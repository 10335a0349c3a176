# PR02 starts ten thousand threads
# expect = ["denied", "absent"]
# --- twin
import threading
assert threading.current_thread() is threading.main_thread()
print("ok")
# --- attack
import threading, _thread, concurrent.futures
for number in range(100):
    attempt("thread", lambda: threading.Thread(target=print).start())
    attempt("bare thread", lambda: _thread.start_new_thread(print, ()))
attempt("pool", lambda: concurrent.futures.ThreadPoolExecutor(100).submit(print).result(timeout=1))
