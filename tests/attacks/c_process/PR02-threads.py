# PR02 starts ten thousand threads
# expect = ["virtual"]
# --- twin
import threading
assert threading.current_thread() is threading.main_thread()
print("ok")
# --- attack
import threading, _thread, concurrent.futures
ran = []
for number in range(5000):
    threading.Thread(target=ran.append, args=(number,)).start()
    _thread.start_new_thread(ran.append, (number,))
with concurrent.futures.ThreadPoolExecutor(100) as pool:
    ran += pool.map(abs, range(100))
print("virtual", len(ran), threading.active_count())
