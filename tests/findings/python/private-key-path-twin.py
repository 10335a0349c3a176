# expect:
"""Reads neither ~/.ssh/id_rsa nor /etc/shadow."""
# open("/etc/shadow")
print("drop shadow", "/etc/hosts", "id_rsa", open("keys/server.ssh/readme.txt"))
