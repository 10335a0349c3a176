# expect:
import multiprocessing


def work(depth):
    if depth > 0:
        one = multiprocessing.Process(target=work, args=(depth - 1,))
        one.start()
        one.join()


work(3)
