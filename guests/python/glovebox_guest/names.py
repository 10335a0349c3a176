"""Names of hosts: what do they resolve to where there is no name server?

Addresses in numbers to themselves. Other names fail as they do without a server, in a container without
a network; HTTP libraries do not come here, because the host looks up what they reach.
"""

from glovebox_guest.own import __builtins__

import _socket
import socket

AGAIN, NO_NAME, NO_FAMILY, NO_SERVICE = socket.EAI_AGAIN, socket.EAI_NONAME, socket.EAI_FAMILY, socket.EAI_SERVICE
MESSAGES = {
    AGAIN: "Temporary failure in name resolution", NO_NAME: "Name or service not known", NO_FAMILY: "ai_family not supported",
    NO_SERVICE: "Servname not supported for ai_socktype",
}
TYPES = ((socket.SOCK_STREAM, 6), (socket.SOCK_DGRAM, 17), (3, 0))
"""Types of sockets with their protocols, in the order of answers; `SOCK_RAW` has no name here."""
PORTS = {"http": 80, "https": 443, "ftp": 21, "ssh": 22, "smtp": 25, "domain": 53, "pop3": 110, "imap2": 143}
LOOPBACK = {socket.AF_INET: "127.0.0.1", socket.AF_INET6: "::1"}
ANY = {socket.AF_INET: "0.0.0.0", socket.AF_INET6: "::"}


def _fail(number):
    raise socket.gaierror(number, MESSAGES[number])


def getaddrinfo(host, port, family=0, type=0, proto=0, flags=0):
    """getaddrinfo(host, port [, family, type, proto, flags])
        -> list of (family, type, proto, canonname, sockaddr)

    Resolve host and port into addrinfo struct.
    """
    if family not in (0, *LOOPBACK):
        _fail(NO_FAMILY)
    number = _port(port)
    addresses = _addresses(host, family, flags)
    return [
        (family, kind, protocol, "", (address, number) if family == socket.AF_INET else (address, number, 0, 0))
        for family, address in addresses
        for kind, protocol in TYPES
        if type in (0, kind) and proto in (0, protocol)
    ]


def _addresses(host, family, flags):
    if isinstance(host, (bytes, bytearray)):
        host = host.decode("ascii", "replace")
    elif host is not None and not isinstance(host, str):
        raise TypeError("getaddrinfo() argument 1 must be string or None")
    if host is None:
        known = ANY if flags & socket.AI_PASSIVE else LOOPBACK
        return [(kind, address) for kind, address in known.items() if family in (0, kind)]
    for kind in LOOPBACK:
        address = _numeric(kind, host)
        if address is not None:
            return [(kind, address)] if family in (0, kind) else _fail(NO_NAME)
    if not host or flags & socket.AI_NUMERICHOST:
        _fail(NO_NAME)
    return _fail(AGAIN)


def _numeric(family, host):
    """The address that a text is, or nothing."""
    try:
        return _socket.inet_ntop(family, _socket.inet_pton(family, host))
    except (OSError, ValueError):
        return None


def _port(port):
    if port is None:
        return 0
    if isinstance(port, int):
        return port & 0xFFFF
    if isinstance(port, (bytes, bytearray)):
        port = port.decode("ascii", "replace")
    if not isinstance(port, str):
        raise OSError("Int or String expected")
    if port.isdecimal():
        return int(port) & 0xFFFF
    return PORTS[port] if port in PORTS else _fail(NO_SERVICE)


def gethostbyname(host, /):
    """gethostbyname(host) -> address

    Return the IP address (a string of the form '255.255.255.255') for a host.
    """
    if not isinstance(host, (str, bytes, bytearray)):
        raise TypeError("gethostbyname() argument 1 must be str, bytes or bytearray, not " + type(host).__name__)
    return _addresses(host, socket.AF_INET, 0)[0][1] if host else "0.0.0.0"


def gethostbyname_ex(host, /):
    """gethostbyname_ex(host) -> (name, aliaslist, addresslist)

    Return the true host name, a list of aliases, and a list of IP addresses, for a host.
    """
    return (host, [], [gethostbyname(host)])


def install():
    """Puts the functions where `socket` and programs take them from."""
    getaddrinfo.__module__ = gethostbyname.__module__ = gethostbyname_ex.__module__ = "_socket"
    _socket.getaddrinfo = getaddrinfo
    _socket.gethostbyname = socket.gethostbyname = gethostbyname
    _socket.gethostbyname_ex = socket.gethostbyname_ex = gethostbyname_ex
