# two descriptors of one file, redirected standard output, and pipes
import os
import stat
import sys

file = os.open("file.txt", os.O_CREAT | os.O_RDWR)
twin = os.dup(file)
os.write(file, b"abc")
os.write(twin, b"def")
os.lseek(twin, 1, os.SEEK_SET)
print(os.read(file, 10), twin != file, os.fstat(twin).st_size)
os.close(file)
print(os.lseek(twin, 0, os.SEEK_CUR), os.dup2(twin, 40), os.dup2(40, 40))
os.close(twin)
with os.fdopen(40, "r+") as again:
    print(again.read())
try:
    os.fstat(40)
except OSError as error:
    print(error.strerror)

for number, name in ((1, "out.txt"), (2, "err.txt")):
    saved = os.dup(number)
    with open(name, "w+") as target:
        sys.stdout.flush()
        os.dup2(target.fileno(), number)
        print("by print", file=(sys.stdout, sys.stderr)[number - 1], flush=True)
        os.write(number, b"by write\n")
        os.dup2(saved, number)
        os.close(saved)
        target.seek(0)
        print(target.readlines())

reader, writer = os.pipe()
print(stat.S_ISFIFO(os.fstat(reader).st_mode))
with os.fdopen(writer, "w") as stream:
    stream.write("line\n" * 5_000)
with os.fdopen(reader) as stream:
    print(len(stream.readlines()))
reader, writer = os.pipe()
second = os.dup(writer)
os.close(writer)
os.write(second, b"rest")
os.close(second)
print(os.read(reader, 2), os.read(reader, 9), os.read(reader, 9))
os.close(reader)
for wrong in (lambda: os.dup(99), lambda: os.dup2(99, 1)):
    try:
        print(wrong())
    except OSError as error:
        print(error.strerror)
reader, writer = os.pipe()
os.close(reader)
try:
    os.write(writer, b"x")
except BrokenPipeError:
    print("broken")
