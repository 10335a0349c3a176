# names that are not resolved, addresses in numbers, and locales that are not there
import locale
import socket

for host in ("nowhere.invalid", "example.invalid"):
    try:
        socket.getaddrinfo(host, 80)
    except socket.gaierror as error:
        print(error.errno in (socket.EAI_AGAIN, socket.EAI_NONAME))
print(socket.getaddrinfo("127.0.0.1", 80, type=socket.SOCK_STREAM)[0][4], socket.gethostbyname("192.0.2.1"))
try:
    socket.getaddrinfo("", None, flags=socket.AI_NUMERICHOST)
except socket.gaierror as error:
    print(error)
for name in ("C", "POSIX", "C.UTF-8", "xx_XX.UTF-8", "tlh_KX"):
    try:
        print(name, locale.setlocale(locale.LC_ALL, name), locale.setlocale(locale.LC_NUMERIC))
    except locale.Error as error:
        print(name, error)
print(locale.localeconv()["decimal_point"], f"{1234567:n}", locale.format_string("%d", 1234567, grouping=True))
saved = locale.setlocale(locale.LC_ALL)
print(locale.setlocale(locale.LC_ALL, saved) == saved)
