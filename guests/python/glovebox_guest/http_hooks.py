"""HTTP hooks: where do the HTTP libraries get their connections from?

From `exchange`, by the one function that each of them connects with. `http.client` is changed in the image; packages that a program brings
(`urllib3` and so `requests`, `httpcore` and so `httpx`) are changed when they are imported.
"""

from glovebox_guest.own import __builtins__

import http.client
import importlib.machinery
import socket
import sys

from glovebox_guest import calls, exchange, loop, thread_pool

real_create_connection = socket.create_connection


def install():
    """Changes `http.client` and watches for the others."""
    http.client.HTTPConnection.connect = _connect
    sys.meta_path.insert(0, Finder)


class Finder:
    """The first of `sys.meta_path`: knows the few modules that are changed after they were loaded, and passes on all others."""

    @classmethod
    def find_spec(cls, name, path=None, target=None):
        """The spec that the usual finder has, with a loader that changes the module."""
        change = CHANGES.get(name)
        if change is None:
            return None
        spec = importlib.machinery.PathFinder.find_spec(name, path, target)
        if spec is not None and spec.loader is not None:
            _change_after(spec.loader, change)
        return spec


def _change_after(loader, change):
    execute = loader.exec_module

    def exec_module(module):
        execute(module)
        try:
            change(module)
        except AttributeError:
            # Another version of the package: it keeps its own way to connect, and the host says no to that.
            pass

    loader.exec_module = exec_module


def _connect(self):
    """`http.client.HTTPConnection.connect` over the host."""
    sys.audit("http.client.connect", self, self.host, self.port)
    create = self._create_connection
    if create is real_create_connection:
        create = exchange.connect
    self.sock = create((self.host, self.port), self.timeout, self.source_address)
    if self._tunnel_host:
        self._tunnel()


_connect.__name__ = "connect"
_connect.__qualname__ = "HTTPConnection.connect"


def _change_urllib3(module):
    module.create_connection = exchange.connect


def _change_httpcore_sync(module):
    from httpcore import _exceptions as errors
    from httpcore._backends.base import NetworkStream

    class Stream(NetworkStream):
        def __init__(self, host, port):
            self._sock = exchange.FetchSocket(host, port, None)

        def read(self, max_bytes, timeout=None):
            self._sock.settimeout(timeout)
            with _told(errors):
                return self._sock.recv(max_bytes)

        def write(self, buffer, timeout=None):
            self._sock.settimeout(timeout)
            with _told(errors):
                self._sock.sendall(buffer)

        def close(self):
            self._sock.close()

        def start_tls(self, ssl_context, server_hostname=None, timeout=None):
            self._sock.over_tls()
            return self

        def get_extra_info(self, info):
            return False if info == "is_readable" else None

    def connect_tcp(self, host, port, timeout=None, local_address=None, socket_options=None):
        return Stream(host, port)

    module.SyncBackend.connect_tcp = connect_tcp


def _change_httpcore_async(module):
    import asyncio

    from httpcore import _exceptions as errors
    from httpcore._backends.base import AsyncNetworkStream

    class Stream(AsyncNetworkStream):
        def __init__(self, host, port):
            self._exchange = exchange.Exchange(host, port)

        async def read(self, max_bytes, timeout=None):
            if self._exchange.call is not None:
                with _told(errors):
                    self._exchange.accept(await _finish(self._exchange.call, timeout))
            return self._exchange.read(max_bytes)

        async def write(self, buffer, timeout=None):
            with _told(errors):
                self._exchange.feed(buffer, timeout)

        async def aclose(self):
            pass

        async def start_tls(self, ssl_context, server_hostname=None, timeout=None):
            self._exchange.scheme = "https"
            return self

        def get_extra_info(self, info):
            return False if info == "is_readable" else None

    async def _finish(call, timeout):
        try:
            async with asyncio.timeout(timeout):
                return await loop.result_of(call)
        except calls.CallFailed as error:
            raise exchange.failure(error) from None

    async def connect_tcp(self, host, port, timeout=None, local_address=None, socket_options=None):
        return Stream(host, port)

    module.AutoBackend.connect_tcp = connect_tcp


class _told:
    """Raises what went wrong as the errors that `httpcore` has for it."""

    def __init__(self, errors):
        self._errors = errors

    def __enter__(self):
        return self

    def __exit__(self, kind, error, tb):
        if isinstance(error, TimeoutError):
            raise self._errors.ReadTimeout(str(error) or "timed out") from error
        if isinstance(error, OSError):
            raise self._errors.ConnectError(str(error)) from error
        return False


CHANGES = {
    "urllib3.util.connection": _change_urllib3,
    "httpcore._backends.sync": _change_httpcore_sync,
    "httpcore._backends.auto": _change_httpcore_async,
    "multiprocessing.pool": thread_pool.change_pool,
}
