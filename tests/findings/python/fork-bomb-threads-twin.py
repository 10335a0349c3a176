# expect:
import queue
import threading
import time

jobs = queue.Queue()
while True:
    job = jobs.get()
    threading.Thread(target=print, args=(job,)).start()


def tick():
    threading.Timer(1, tick).start()
    time.sleep(1)
