# daemon threads end with the program, also those that go round for ever
# only = "threads of a container run beside each other"
import itertools
import threading
import time


def spins():
    while True:
        pass


def counts():
    for _ in itertools.count():
        pass


def resists():
    while True:
        try:
            while True:
                pass
        except BaseException:
            print("caught")
        finally:
            print("finally")


def beats():
    while True:
        print("beat")
        time.sleep(10)


def collatz(number):
    while number != 1:
        number = number // 2 if number % 2 == 0 else 3 * number + 1
        steps.append(number)


def watches():
    global turns
    while not stopped:
        turns += 1


turns, stopped, steps = 0, False, []
watcher = threading.Thread(target=watches, daemon=True)
watcher.start()
time.sleep(0.02)
stopped = True
watcher.join(1)
print(turns > 0)
for target in (spins, counts, resists, beats):
    threading.Thread(target=target, daemon=True).start()
worker = threading.Thread(target=collatz, args=(27,), daemon=True)
worker.start()
worker.join()
print(len(steps), worker.is_alive())
