# a thread that waits for ever ends with an error, and the program goes on
# stderr = ["Exception in thread waiting:\n", "RuntimeError: this wait would never end: there is one thread"]
# only = "in a container the program would wait"
import queue
import threading

thread = threading.Thread(target=queue.Queue().get, name="waiting")
thread.start()
thread.join()
print("joined")
