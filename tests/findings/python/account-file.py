# expect: account-file:2
with open("/etc/passwd") as file:
    print(file.read())
