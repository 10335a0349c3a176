"""HTTP over host calls: how do socket-based libraries reach the network?

It is given `FetchSocket`. What it writes is read back as a request, the host makes the exchange (`fetch`), and what it reads is the
response written out again. So every library keeps its own headers, redirects, cookies and decoding.
"""

from glovebox_guest.own import __builtins__

import binascii
import errno
import io

from glovebox_guest import calls

PORTS = {"http": 80, "https": 443}
OF_ONE_CONNECTION = {
    "connection", "content-length", "expect", "keep-alive", "proxy-authorization", "proxy-connection", "te", "trailer", "transfer-encoding",
    "upgrade",
}
"""Headers that speak about the connection, which is the host's own."""


class RequestReader:
    """Takes an HTTP/1 request apart as its bytes arrive."""

    def __init__(self):
        self._buffer = bytearray()
        self._body = bytearray()
        self._wanted = None
        self._chunked = False
        self.method = self.target = None
        self.headers = []

    def feed(self, data):
        """Takes bytes; says whether the request is whole now. Raises `ValueError` where it is not HTTP."""
        self._buffer += data
        if self.method is None and not self._read_head():
            return False
        if self._chunked:
            return self._read_chunks()
        self._body += self._buffer
        self._buffer.clear()
        return len(self._body) >= self._wanted

    @property
    def body(self):
        """The body without its transfer coding."""
        return bytes(self._body)

    def _read_head(self):
        end = self._buffer.find(b"\r\n\r\n")
        if end < 0:
            return False
        head = bytes(self._buffer[:end])
        try:
            head = head.decode("utf-8")
        except UnicodeDecodeError:
            head = head.decode("latin-1")
        first, *lines = head.split("\r\n")
        del self._buffer[: end + 4]
        parts = first.split(" ")
        if len(parts) != 3 or not parts[2].startswith("HTTP/"):
            raise ValueError("only HTTP can be spoken over this connection")
        self.method, self.target = parts[0], parts[1]
        self._wanted = 0
        for line in lines:
            name, _, text = line.partition(":")
            name, text = name.strip(), text.strip()
            self.headers.append((name, text))
            if name.lower() == "content-length":
                self._wanted = int(text)
            elif name.lower() == "transfer-encoding" and "chunked" in text.lower():
                self._chunked = True
        return True

    def _read_chunks(self):
        while True:
            end = self._buffer.find(b"\r\n")
            if end < 0:
                return False
            size = int(self._buffer[:end].split(b";")[0], 16)
            if len(self._buffer) < end + 4 + size:
                return False
            self._body += self._buffer[end + 2 : end + 2 + size]
            del self._buffer[: end + 4 + size]
            if size == 0:
                return True


class Exchange:
    """Requests and responses of one connection to one server, one after another."""

    def __init__(self, host, port):
        self.host = host
        self.port = port
        self.scheme = "http"
        self._reader = RequestReader()
        self._answer = io.BytesIO()
        self.call = None
        self._method = None

    def feed(self, data, timeout):
        """Takes what the library sends; starts the call when the request is whole and says whether it did. Raises `OSError`."""
        try:
            if not self._reader.feed(data):
                return False
        except ValueError as error:
            raise OSError(errno.EPROTONOSUPPORT, str(error)) from None
        request, self._reader = self._reader, RequestReader()
        self._method = request.method
        if request.method == "CONNECT":
            # A proxy is of no use here: the host makes the connection, and it is the one that policy speaks about.
            self.host, _, port = request.target.rpartition(":")
            self.port = int(port)
            self._answer = io.BytesIO(b"HTTP/1.1 200 Connection established\r\n\r\n")
            return False
        self.call = calls.start("fetch", self._arguments(request, timeout))
        return True

    def accept(self, result):
        """Takes the result of the call."""
        self.call = None
        self._answer = io.BytesIO(_written(result, self._method))

    def read(self, size):
        """The next bytes of the response; empty at its end."""
        return self._answer.read(size)

    def _arguments(self, request, timeout):
        authority = f"[{self.host}]" if ":" in self.host and not self.host.startswith("[") else self.host
        if self.port != PORTS[self.scheme]:
            authority += f":{self.port}"
        target = request.target
        url = target if target.startswith(("http://", "https://")) else f"{self.scheme}://{authority}{target}"
        headers = []
        for name, text in request.headers:
            plain = name.lower()
            # The usual `Host` says what the URL says; one of the program's own choice is for the host to judge.
            if plain not in OF_ONE_CONNECTION and not (plain == "host" and text.lower() in (authority.lower(), f"{authority}:{self.port}".lower())):
                headers.append([name, text])
        arguments = {"url": url, "method": request.method, "headers": headers, "redirect": "manual"}
        if request.body:
            arguments["body_base64"] = binascii.b2a_base64(request.body, newline=False).decode("ascii")
        if timeout is not None:
            arguments["timeout_ms"] = max(1, int(timeout * 1000))
        return arguments


class FetchSocket:
    """What a client of HTTP needs of a socket. The exchange is made when its request is whole, and a refusal is raised there."""

    def __init__(self, host, port, timeout):
        self._exchange = Exchange(host, port)
        self._timeout = timeout
        self._late = None

    def over_tls(self):
        """The same connection, where the library has asked for TLS, which the host will speak."""
        self._exchange.scheme = "https"
        return self

    def sendall(self, data, flags=0):
        """Takes a part of a request; with the last part the exchange is made. Raises `OSError`."""
        if not self._exchange.feed(data, self._timeout):
            return
        try:
            self._exchange.accept(finish(self._exchange.call, self._timeout))
        except TimeoutError as error:
            # A library that waits for an answer names its own timeout only where it reads.
            self._late = error

    def send(self, data, flags=0):
        """As `sendall`, which never takes a part only."""
        self.sendall(data)
        return len(data)

    def recv(self, size, flags=0):
        """A part of the response; empty at its end. Raises `TimeoutError` where none came in time."""
        if self._late is not None:
            raise self._late
        return self._exchange.read(size)

    def recv_into(self, buffer, size=0, flags=0):
        """As `recv`, into a buffer."""
        data = self.recv(size or len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def makefile(self, mode="r", buffering=None, **_):
        """A file to read the response from; it goes on after `close`, as a socket's does."""
        return io.BufferedReader(_ResponseStream(self))

    def settimeout(self, seconds):
        """How long an exchange may take, in seconds."""
        self._timeout = seconds

    def gettimeout(self):
        """As given to `settimeout`."""
        return self._timeout

    def setblocking(self, flag):
        """As in `socket`."""
        self._timeout = None if flag else 0.0

    def setsockopt(self, *_):
        """There is no socket whose options could be set."""

    def shutdown(self, how):
        """Nothing to end: an exchange ends by itself."""

    def close(self):
        """Nothing to give back."""

    def fileno(self):
        """No descriptor."""
        return -1

    def getpeername(self):
        """Whom the host was asked to talk to; where it connected is its own affair."""
        return (self._exchange.host, self._exchange.port)

    def getsockname(self):
        """No address of our own."""
        return ("0.0.0.0", 0)

    def getpeercert(self, binary_form=False):
        """The host checks certificates and keeps them."""
        return None if binary_form else {}

    def selected_alpn_protocol(self):
        """To the library it is HTTP/1.1."""
        return "http/1.1"

    def version(self):
        """The host's choice, unknown here."""
        return None

    def cipher(self):
        """The host's choice, unknown here."""
        return None


class _ResponseStream(io.RawIOBase):
    def __init__(self, sock):
        self._sock = sock

    def readable(self):
        return True

    def readinto(self, buffer):
        return self._sock.recv_into(buffer)


def connect(address, timeout=None, source_address=None, socket_options=None, *, all_errors=False):
    """Stands in for `socket.create_connection` in clients of HTTP."""
    host, port = address
    if timeout is not None and not isinstance(timeout, (int, float)):
        import socket

        timeout = socket.getdefaulttimeout()
    return FetchSocket(host, port, timeout)


def finish(call, timeout):
    """The result of a `fetch`, waited for at most `timeout` seconds. Raises `OSError`."""
    if timeout is not None and not calls.wait(call, timeout):
        raise TimeoutError("timed out")
    try:
        return calls.finish(call)
    except calls.CallFailed as error:
        raise failure(error) from None


def failure(error):
    """The `OSError` that says what a failed `fetch` says."""
    if error.kind == "denied":
        return PermissionError(errno.EACCES, error.message)
    if error.kind == "failed":
        if "timed out" in error.message:
            return TimeoutError(error.message)
        return ConnectionError(error.message)
    return OSError(error.message)


def _written(result, method):
    """The response as it would have come over a connection that the server then closed."""
    body = binascii.a2b_base64(result.get("body_base64") or "")
    lines = [f"HTTP/1.1 {result['status']} {result.get('status_text') or ''}"]
    for name, text in result["headers"]:
        plain = name.lower()
        if plain not in OF_ONE_CONNECTION or (plain == "content-length" and method == "HEAD"):
            lines.append(f"{name}: {text}".replace("\r", " ").replace("\n", " "))
    if method != "HEAD" and result["status"] not in (204, 304):
        lines.append(f"Content-Length: {len(body)}")
    else:
        body = b""
    lines.append("Connection: close\r\n\r\n")
    return "\r\n".join(lines).encode("latin-1", "replace") + body
