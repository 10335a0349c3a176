# what has no room says so, and keeps what fitted
# only = "the workspace of a container is as large as its machine's memory"
import errno
import os


def fill(mode):
    with open("big", mode, buffering=0) as file:
        written = 0
        while True:
            try:
                written += file.write(bytes(1_000_003))
            except OSError as error:
                return errno.errorcode[error.errno], written == os.path.getsize("big") == file.tell()


def far():
    with open("sparse", "wb") as file:
        file.seek(1 << 40)
        file.write(b"x")


def device():
    with open("/dev/full", "w") as file:
        file.write("x")


for action in (far, device):
    try:
        action()
    except OSError as error:
        print(action.__name__, errno.errorcode[error.errno])
for mode in ("wb", "ab"):
    print(fill(mode))
    os.remove("big")
