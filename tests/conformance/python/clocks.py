# clocks begin with the program
import time

print(0 <= time.process_time() < 60, 0 <= time.process_time_ns() < 60 * 10**9)
before = time.process_time()
sum(range(3_000_000))
print(time.process_time() > before)
