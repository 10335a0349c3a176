"""bzip2: the classes of `_bz2`, over the coder of the library."""

import _coders
from compression._common._stream import Compressor, Decompressor

PARAMETER, MEMORY, DATA, NO_MAGIC, IO, EARLY_END = -2, -3, -4, -5, -6, -7


def _fail(status):
    if status == MEMORY:
        raise MemoryError
    if status in (DATA, NO_MAGIC):
        raise OSError("Invalid data stream")
    if status == EARLY_END:
        raise EOFError("Compressed file ended before the logical end-of-stream was detected")
    if status == IO:
        raise OSError("Unknown I/O error")
    if status == PARAMETER:
        raise ValueError("Internal error - invalid parameters passed to libbzip2")
    raise OSError(f"Unrecognized error from libbzip2: {status}")


def _made(level):
    coder, status = _coders.bzip2(level)
    if status < 0:
        _fail(status)
    return coder


class BZ2Compressor(Compressor):
    """Create a compressor object for compressing data incrementally.

      compresslevel
        Compression level, as a number between 1 and 9.

    For one-shot compression, use the compress() function instead.
    """

    def __new__(cls, compresslevel=9, /):
        if not isinstance(compresslevel, int):
            raise TypeError(f"'{type(compresslevel).__name__}' object cannot be interpreted as an integer")
        if not 1 <= compresslevel <= 9:
            raise ValueError("compresslevel must be between 1 and 9")
        self = object.__new__(cls)
        self._begin(_made(compresslevel))
        return self

    def _fail(self, status):
        _fail(status)


class BZ2Decompressor(Decompressor):
    """Create a decompressor object for decompressing data incrementally.

    For one-shot decompression, use the decompress() function instead.
    """

    def __new__(cls, /):
        self = object.__new__(cls)
        self._begin(_made(0))
        return self

    def _fail(self, status):
        self._coder = None
        _fail(status)
