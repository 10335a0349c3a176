# what can be written is said to be
import os

with open("file.txt", "w") as file:
    file.write("x")
os.mkdir("folder")
for path in [".", "/work", "file.txt", b"folder", "missing", "folder/missing", "file.txt/x"]:
    print(path, os.access(path, os.F_OK), os.access(path, os.W_OK), os.access(path, os.R_OK | os.W_OK))
print(os.access("/usr/lib/python3.14", os.W_OK), sorted(os.listdir(".")), os.listdir("folder"), os.stat("file.txt").st_size)
os.umask(0o27)
print(oct(os.umask(0o22)), oct(os.umask(0o22)))
