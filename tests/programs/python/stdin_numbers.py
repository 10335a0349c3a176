# reads numbers from standard input and reports on them
# stdin = "3 10\n1.5 -2 7e2\n\n# a comment\n42\nabc 5\n  8  \n"
import fileinput
import sys

count, limit = map(int, sys.stdin.readline().split())
print("header", count, limit)
numbers, bad = [], []
for number, line in enumerate(sys.stdin, start=2):
    line = line.split("#", 1)[0].strip()
    if not line:
        continue
    for word in line.split():
        try:
            numbers.append(float(word))
        except ValueError as error:
            bad.append((number, str(error)))
print(numbers)
print(bad)
print(f"sum {sum(numbers):g} min {min(numbers):g} max {max(numbers):g} mean {sum(numbers) / len(numbers):.3f}")
big = [n for n in numbers if n > limit]
print(f"{len(big)} above {limit}: {big}")
running, total = [], 0
for n in numbers:
    total += n
    running.append(total)
print(running)
width = 40
low, high = min(numbers), max(numbers)
for n in numbers:
    print(f"{n:8.1f} " + "=" * round((n - low) / (high - low) * width))
with open("in.txt", "w") as file:
    file.write("one\ntwo\n")
with fileinput.input("in.txt") as lines:
    for line in lines:
        print(lines.filename(), lines.lineno(), line.rstrip())
sys.stdout.write("no newline at the end")
