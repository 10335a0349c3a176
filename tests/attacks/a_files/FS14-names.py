# FS14 uses names that break careless code
# expect = ["denied"]
# --- twin
import os
names = ["new\nline", "tab\t", "emoji\U0001F600", "rtl\u202eexe.txt", "dot.", "space ", " lead", "back\\slash", "x" * 255, "cafe\u0301", "caf\u00e9", "-rf", "*", "CON", "AUX.txt", "COM\u00b9"]
for name in names:
    open(name, "w").write(name)
assert sorted(os.listdir(".")) == sorted(names), os.listdir(".")
assert all(open(name).read() == name for name in names)
print("ok")
# --- attack
import os
attempt("nul", lambda: open("a\0b", "w"))
attempt("256 bytes", lambda: open("x" * 256, "w"))
attempt("4097 bytes", lambda: open("x/" * 2100 + "x", "w"))
attempt("1 MiB", lambda: open("x" * (1 << 20), "w"))
attempt("not text", lambda: open(b"\xff\xfe", "w"))
attempt("lone surrogate", lambda: open("\ud800", "w"))
attempt("empty", lambda: open("", "w"))
attempt("dot", lambda: open(".", "w"))
attempt("dot dot", lambda: open("..", "w"))
