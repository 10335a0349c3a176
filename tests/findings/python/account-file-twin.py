# expect:
# /etc/passwd
print("passwd", "the file /etc/passwd lists accounts")
