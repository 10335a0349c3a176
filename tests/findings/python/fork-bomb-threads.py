# expect: fork-bomb:7 fork-bomb:13
import multiprocessing
import threading


def work():
    multiprocessing.Process(target=work).start()


threads = []
while True:
    thread = threading.Thread(target=work)
    thread.start()
    threads.append(thread)
