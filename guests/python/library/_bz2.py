"""bzip2: the classes of `_bz2`, over the coder of the library."""

import _coders
from compression._common._coder import Decoder

RUN, FINISH = 0, 1
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


class BZ2Compressor:
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
        self._coder, self._is_flushed = _made(compresslevel), False
        return self

    def compress(self, data, /):
        """Provide data to the compressor object.

        Returns a chunk of compressed data if possible, or b'' otherwise.

        When you have finished providing data to the compressor, call the
        flush() method to finish the compression process.
        """
        if self._is_flushed:
            raise ValueError("Compressor has been flushed")
        return self._run(data, RUN)

    def flush(self):
        """Finish the compression process.

        Returns the compressed data left in internal buffers.

        The compressor object may not be used after this method is called.
        """
        if self._is_flushed:
            raise ValueError("Repeated call to flush()")
        self._is_flushed = True
        return self._run(b"", FINISH)

    def _run(self, data, action):
        output, _, status, _ = _coders.run(self._coder, data, -1, action)
        if status < 0:
            _fail(status)
        return output

    def __reduce__(self):
        raise TypeError("cannot pickle '_bz2.BZ2Compressor' object")


class BZ2Decompressor(Decoder):
    """Create a decompressor object for decompressing data incrementally.

    For one-shot decompression, use the decompress() function instead.
    """

    def __new__(cls, /):
        self = object.__new__(cls)
        self._begin(_made(0))
        return self

    def decompress(self, data, max_length=-1):
        """Decompress *data*, returning uncompressed data as bytes.

        If *max_length* is nonnegative, returns at most *max_length* bytes of
        decompressed data. If this limit is reached and further output can be
        produced, *self.needs_input* will be set to ``False``. In this case, the next
        call to *decompress()* may provide *data* as b'' to obtain more of the output.

        If all of the input data was decompressed and returned (either because this
        was less than *max_length* bytes, or because *max_length* was negative),
        *self.needs_input* will be set to True.

        Attempting to decompress data after the end of stream is reached raises an
        EOFError.  Any data found after the end of the stream is ignored and saved in
        the unused_data attribute.
        """
        if self._eof:
            raise EOFError("End of stream already reached")
        return self._decode(data, max_length)

    def _fail(self, status):
        self._coder = None
        _fail(status)
