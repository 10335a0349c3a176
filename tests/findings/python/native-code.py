# expect: native-code:6 native-code:7 native-code:8 native-code:9
import ctypes
import mmap
from ctypes import CDLL, windll

CDLL("libc.so.6")
ctypes.cdll.LoadLibrary("libc.so.6")
print(windll.kernel32)
mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_EXEC)
