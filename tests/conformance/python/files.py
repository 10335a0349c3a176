# files and folders
import os
import shutil
import tempfile

os.makedirs("a/b")
with open("a/b/f.txt", "w", encoding="utf-8") as file:
    file.write("één\ntwo\n")
with open("a/b/f.txt", "rb") as file:
    print(file.read())
with open("a/b/f.txt", "r+") as file:
    file.seek(0, os.SEEK_END)
    file.write("three\n")
    file.seek(0)
    print(file.readlines(), file.tell())
print(os.path.getsize("a/b/f.txt"), os.path.isdir("a"), os.listdir("a/b"), os.path.abspath("a"))
shutil.copy("a/b/f.txt", "copy.txt")
shutil.copytree("a", "c")
os.rename("copy.txt", "moved.txt")
os.replace("moved.txt", "a/b/f.txt")
shutil.rmtree("a")
print(sorted(os.listdir(".")), [sorted(names) for _, _, names in os.walk("c")])
with tempfile.TemporaryDirectory() as folder:
    with open(os.path.join(folder, "x"), "w") as file:
        file.write("x" * 100_000)
    print(os.stat(os.path.join(folder, "x")).st_size)
with tempfile.NamedTemporaryFile("w+") as file:
    file.write("gone")
print(os.path.exists(folder), os.getcwd())
