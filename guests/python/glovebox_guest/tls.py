"""TLS: what does `import ssl` give in a guest without TLS?

A module that keeps settings. HTTPS is spoken by the host, which always checks certificates, so a context says nothing that could weaken
that; the libraries of HTTP only need it to be there. TLS over anything else fails with `ssl.SSLError`.
"""

from glovebox_guest.own import __builtins__

import enum
import os
import socket
import sys
import types

NO_TLS = "TLS is not available in this build of Python; only HTTPS is, and the host speaks it"

module = types.ModuleType("ssl", "Settings for TLS. The host speaks HTTPS; there is no other TLS in this build of Python.")


class TLSVersion(enum.IntEnum):
    """Versions of the protocol."""

    MINIMUM_SUPPORTED = -2
    SSLv3 = 768
    TLSv1 = 769
    TLSv1_1 = 770
    TLSv1_2 = 771
    TLSv1_3 = 772
    MAXIMUM_SUPPORTED = -1


class VerifyMode(enum.IntEnum):
    """Whether the other side must show a certificate. The host always asks for one."""

    CERT_NONE = 0
    CERT_OPTIONAL = 1
    CERT_REQUIRED = 2


class _SSLMethod(enum.IntEnum):
    PROTOCOL_TLS = 2
    PROTOCOL_TLSv1 = 3
    PROTOCOL_TLSv1_1 = 4
    PROTOCOL_TLSv1_2 = 5
    PROTOCOL_TLS_CLIENT = 16
    PROTOCOL_TLS_SERVER = 17


class Options(enum.IntFlag):
    """Options of a context; kept, not used."""

    OP_LEGACY_SERVER_CONNECT = 0x4
    OP_IGNORE_UNEXPECTED_EOF = 0x80
    OP_NO_TICKET = 0x4000
    OP_NO_COMPRESSION = 0x20000
    OP_ENABLE_MIDDLEBOX_COMPAT = 0x100000
    OP_CIPHER_SERVER_PREFERENCE = 0x400000
    OP_NO_TLSv1 = 0x4000000
    OP_NO_TLSv1_2 = 0x8000000
    OP_NO_TLSv1_1 = 0x10000000
    OP_NO_TLSv1_3 = 0x20000000
    OP_NO_SSLv3 = 0x2000000
    OP_NO_RENEGOTIATION = 0x40000000
    OP_ALL = 0x80000050


class VerifyFlags(enum.IntFlag):
    """How a chain is checked; kept, not used."""

    VERIFY_DEFAULT = 0
    VERIFY_CRL_CHECK_LEAF = 4
    VERIFY_CRL_CHECK_CHAIN = 12
    VERIFY_X509_STRICT = 32
    VERIFY_ALLOW_PROXY_CERTS = 64
    VERIFY_X509_TRUSTED_FIRST = 32768
    VERIFY_X509_PARTIAL_CHAIN = 524288


class Purpose(enum.Enum):
    """What a context is for."""

    SERVER_AUTH = "1.3.6.1.5.5.7.3.1"
    CLIENT_AUTH = "1.3.6.1.5.5.7.3.2"


class SSLErrorNumber(enum.IntEnum):
    """Numbers of errors."""

    SSL_ERROR_SSL = 1
    SSL_ERROR_WANT_READ = 2
    SSL_ERROR_WANT_WRITE = 3
    SSL_ERROR_WANT_X509_LOOKUP = 4
    SSL_ERROR_SYSCALL = 5
    SSL_ERROR_ZERO_RETURN = 6
    SSL_ERROR_WANT_CONNECT = 7
    SSL_ERROR_EOF = 8
    SSL_ERROR_INVALID_ERROR_CODE = 10


class SSLError(OSError):
    """An error of TLS."""

    library = reason = None

    def __str__(self):
        return str(self.args[-1]) if self.args else ""


class SSLZeroReturnError(SSLError):
    """The connection was closed."""


class SSLWantReadError(SSLError):
    """More must be read first."""


class SSLWantWriteError(SSLError):
    """More must be written first."""


class SSLSyscallError(SSLError):
    """A system call failed."""


class SSLEOFError(SSLError):
    """The connection ended abruptly."""


class SSLCertVerificationError(SSLError, ValueError):
    """A certificate was not accepted."""


def _no_tls(*_, **__):
    raise SSLError(NO_TLS)


class MemoryBIO:
    """A buffer between TLS and the program; nothing could fill it."""

    __init__ = _no_tls


class SSLObject:
    """TLS over buffers; only contexts make it, and they cannot here."""

    __init__ = _no_tls


class SSLSocket(socket.socket):
    """TLS over a socket; only contexts make it, and they cannot here."""

    __init__ = _no_tls


class SSLSession:
    """A session to resume; there are none."""


class SSLContext:
    """Settings of a connection. `wrap_socket` succeeds for connections of HTTP libraries, whose TLS the host speaks."""

    sslsocket_class = SSLSocket
    sslobject_class = SSLObject
    keylog_filename = None
    post_handshake_auth = False
    hostname_checks_common_name = False
    sni_callback = None
    num_tickets = 2

    def __init__(self, protocol=_SSLMethod.PROTOCOL_TLS):
        self.protocol = _SSLMethod(protocol)
        is_client = self.protocol == _SSLMethod.PROTOCOL_TLS_CLIENT
        self._check_hostname = is_client
        self._verify_mode = VerifyMode.CERT_REQUIRED if is_client else VerifyMode.CERT_NONE
        self.options = Options.OP_ALL | Options.OP_NO_SSLv3 | Options.OP_NO_COMPRESSION
        self.verify_flags = VerifyFlags.VERIFY_X509_TRUSTED_FIRST
        self.minimum_version = TLSVersion.TLSv1_2
        self.maximum_version = TLSVersion.MAXIMUM_SUPPORTED

    @property
    def check_hostname(self):
        """Kept; the host always checks the name."""
        return self._check_hostname

    @check_hostname.setter
    def check_hostname(self, flag):
        self._check_hostname = bool(flag)
        if flag and self._verify_mode == VerifyMode.CERT_NONE:
            self._verify_mode = VerifyMode.CERT_REQUIRED

    @property
    def verify_mode(self):
        """Kept; the host always verifies."""
        return self._verify_mode

    @verify_mode.setter
    def verify_mode(self, mode):
        if mode == VerifyMode.CERT_NONE and self._check_hostname:
            raise ValueError("Cannot set verify_mode to CERT_NONE when check_hostname is enabled.")
        self._verify_mode = VerifyMode(mode)

    def wrap_socket(self, sock, server_side=False, do_handshake_on_connect=True, suppress_ragged_eofs=True, server_hostname=None, session=None):
        """The connection over TLS. Raises `SSLError` for anything but a connection of an HTTP library."""
        over_tls = getattr(sock, "over_tls", None)
        if over_tls is None or server_side:
            _no_tls()
        return over_tls()

    wrap_bio = _no_tls

    def load_cert_chain(self, certfile, keyfile=None, password=None):
        """Raises `SSLError`: the host's connections show no certificate of the program's."""
        raise SSLError("client certificates cannot be used: the host makes the connection")

    def _keep(self, *_, **__):
        """Accepted; the host has its own."""

    load_verify_locations = load_default_certs = set_default_verify_paths = set_ciphers = set_alpn_protocols = _keep
    set_npn_protocols = load_dh_params = set_ecdh_curve = set_servername_callback = _keep

    def get_ciphers(self):
        """The host's choice, unknown here."""
        return []

    def get_ca_certs(self, binary_form=False):
        """The host's own, unknown here."""
        return []

    def cert_store_stats(self):
        """The host's own, unknown here."""
        return {"x509": 0, "crl": 0, "x509_ca": 0}

    def session_stats(self):
        """The host's own, unknown here."""
        return {}


def create_default_context(purpose=Purpose.SERVER_AUTH, *, cafile=None, capath=None, cadata=None):
    """Settings for a client, or for a server, which cannot run here."""
    is_client = purpose == Purpose.SERVER_AUTH
    return SSLContext(_SSLMethod.PROTOCOL_TLS_CLIENT if is_client else _SSLMethod.PROTOCOL_TLS_SERVER)


def _create_unverified_context(protocol=None, *, check_hostname=False, **_):
    context = SSLContext(_SSLMethod.PROTOCOL_TLS_CLIENT)
    context.check_hostname = check_hostname
    context.verify_mode = VerifyMode.CERT_REQUIRED if check_hostname else VerifyMode.CERT_NONE
    return context


def get_default_verify_paths():
    """No paths: the host has its own certificates."""
    return DefaultVerifyPaths(None, None, "SSL_CERT_FILE", "", "SSL_CERT_DIR", "")


class DefaultVerifyPaths(tuple):
    """Where certificates would be looked for."""

    def __new__(cls, *fields):
        return super().__new__(cls, fields)

    cafile = property(lambda self: self[0])
    capath = property(lambda self: self[1])
    openssl_cafile = property(lambda self: self[3])
    openssl_capath = property(lambda self: self[5])


def install():
    """Makes `import ssl` find this."""
    public = (
        TLSVersion, VerifyMode, _SSLMethod, Options, VerifyFlags, Purpose, SSLErrorNumber, SSLError, SSLZeroReturnError, SSLWantReadError,
        SSLWantWriteError, SSLSyscallError, SSLEOFError, SSLCertVerificationError, MemoryBIO, SSLObject, SSLSocket, SSLSession, SSLContext,
        DefaultVerifyPaths, create_default_context, get_default_verify_paths, _create_unverified_context,
    )
    for thing in public:
        thing.__module__ = "ssl"
        setattr(module, thing.__name__, thing)
    for family in (VerifyMode, _SSLMethod, Options, VerifyFlags, SSLErrorNumber):
        for member in family:
            setattr(module, member.name, member)
    for name in ("OP_NO_SSLv2", "OP_SINGLE_DH_USE", "OP_SINGLE_ECDH_USE"):
        setattr(module, name, Options(0))
    for name in ("SNI", "ALPN", "ECDH", "NEVER_CHECK_COMMON_NAME", "TLSv1_2", "TLSv1_3"):
        setattr(module, f"HAS_{name}", True)
    for name in ("NPN", "SSLv2", "SSLv3", "TLSv1", "TLSv1_1", "PSK", "PHA"):
        setattr(module, f"HAS_{name}", False)
    module.PROTOCOL_SSLv23 = _SSLMethod.PROTOCOL_TLS
    module.CertificateError = SSLCertVerificationError
    module._create_default_https_context = module._create_stdlib_context = create_default_context
    module._create_stdlib_context = _create_unverified_context
    module._DEFAULT_CIPHERS = "@SECLEVEL=2:ECDH+AESGCM:ECDH+CHACHA20:ECDH+AES:DHE+AES:!aNULL:!eNULL:!aDSS:!SHA1:!AESCCM"
    module.CHANNEL_BINDING_TYPES = []
    # Libraries ask whether it is a recent OpenSSL.
    module.OPENSSL_VERSION = "OpenSSL 3.0.0 (none: TLS is the host's)"
    module.OPENSSL_VERSION_INFO = (3, 0, 0, 0, 0)
    module.OPENSSL_VERSION_NUMBER = 0x30000000
    module.RAND_bytes = os.urandom
    module.RAND_status = lambda: True
    module.RAND_add = lambda data, entropy: None
    module.get_server_certificate = _no_tls
    sys.modules["ssl"] = module
