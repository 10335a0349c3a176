# places in files that are appended to
import os

with open("file.txt", "w") as file:
    file.write("hello\n")
with open("file.txt", "a+b", buffering=0) as file:
    print(file.tell(), file.write(b"more"), file.tell(), file.seek(0), file.tell(), file.read(3), file.tell(), file.read())
    print(file.seek(2), file.write(b"!\n"), file.tell(), os.lseek(file.fileno(), -2, os.SEEK_END), file.readline())
with open("file.txt", "a+") as file:
    file.write("end")
    file.seek(0)
    print(file.readlines(), file.tell())
