# expect:
"""Refuses 169.254.169.254 and http://metadata.google.internal/."""
import ipaddress

# http://169.254.169.254/latest/meta-data
BLOCKED = {"169.254.169.254", "100.100.100.200"}


def is_allowed(host):
    return host not in BLOCKED and host != "fd00:ec2::254"


print(is_allowed("192.168.0.1"), ipaddress.ip_network("169.254.0.0/16"), "http://1.169.254.169.254.example/", 169.254)
print("The address 169.254.169.254 is refused.")
