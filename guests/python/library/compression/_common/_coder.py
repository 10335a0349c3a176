"""Decoder: what have the decompressors of all formats in common?

Input that is kept where the output has a limit, and what follows the end.
"""

import _coders


def refuse_to_pickle(self):
    """Stands for `__reduce__`: a coder is not in Python's memory."""
    raise TypeError(f"cannot pickle '{type(self).__module__}.{type(self).__qualname__}' object")


class Decoder:
    """The methods and attributes of a decompressor. A format says what is wrong in `_fail`."""

    def _begin(self, coder):
        self._coder, self._left = coder, b""
        self._eof, self._needs_input, self._unused = False, True, b""

    @property
    def eof(self):
        """True if the end-of-stream marker has been reached."""
        return self._eof

    @property
    def needs_input(self):
        """True if more input is needed before more decompressed data can be produced."""
        return self._needs_input

    @property
    def unused_data(self):
        """Data found after the end of the compressed stream."""
        return self._unused

    __reduce__ = refuse_to_pickle

    def _decode(self, data, max_length):
        if self._coder is None:
            raise ValueError("Decompressor is unusable after a previous error")
        kept = self._left
        if kept:
            data = bytes(data)
            data = memoryview(bytes(kept) + data) if data else kept
        self._left = b""
        try:
            output, used, status, is_full = _coders.run(self._coder, data, max_length, 0)
        except MemoryError:
            # The library's state is past what was lost.
            self._coder, self._needs_input = None, False
            raise
        if status < 0:
            self._needs_input = False
            self._fail(status)
        view = memoryview(data)
        view = view.cast("B") if view.nbytes else b""
        if status:
            self._eof, self._needs_input = True, False
            self._unused = bytes(view[used:])
        elif used < len(view):
            # What is kept must not change with the caller's own.
            self._left = view[used:] if kept else memoryview(bytes(view[used:]))
            self._needs_input = False
        else:
            self._needs_input = not is_full
        return output
