"""Streams: what have the classes of bzip2 and LZMA in common?

All but how they are made, and what their libraries say is wrong.
"""

import _coders
from compression._common._coder import Decoder, refuse_to_pickle

RUN, FINISH = 0, 1


class Compressor:
    """The methods of a compressor. A format says what is wrong in `_fail`."""

    def _begin(self, coder):
        self._coder, self._is_flushed = coder, False

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
            self._fail(status)
        return output

    __reduce__ = refuse_to_pickle


class Decompressor(Decoder):
    """The methods of a decompressor. A format says what a further call after the end hears."""

    ENDED = "End of stream already reached"

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
            raise EOFError(self.ENDED)
        return self._decode(data, max_length)
