"""Zstandard: the classes and functions of `_zstd`, over the coder of the library."""

import array
import operator

import _coders
from compression._common._coder import Decoder

zstd_version, zstd_version_number = "1.5.7", 10507
ZSTD_CLEVEL_DEFAULT, ZSTD_DStreamOutSize = 3, 131072
ZSTD_d_windowLogMax = 100
ZSTD_c_compressionLevel, ZSTD_c_windowLog, ZSTD_c_hashLog, ZSTD_c_chainLog, ZSTD_c_searchLog = range(100, 105)
ZSTD_c_minMatch, ZSTD_c_targetLength, ZSTD_c_strategy = range(105, 108)
ZSTD_c_enableLongDistanceMatching, ZSTD_c_ldmHashLog, ZSTD_c_ldmMinMatch = range(160, 163)
ZSTD_c_ldmBucketSizeLog, ZSTD_c_ldmHashRateLog = range(163, 165)
ZSTD_c_contentSizeFlag, ZSTD_c_checksumFlag, ZSTD_c_dictIDFlag = range(200, 203)
ZSTD_c_nbWorkers, ZSTD_c_jobSize, ZSTD_c_overlapLog = range(400, 403)
ZSTD_fast, ZSTD_dfast, ZSTD_greedy, ZSTD_lazy, ZSTD_lazy2, ZSTD_btlazy2, ZSTD_btopt, ZSTD_btultra, ZSTD_btultra2 = range(1, 10)

_ONE_THREAD = frozenset((ZSTD_c_nbWorkers, ZSTD_c_jobSize, ZSTD_c_overlapLog))
"""Parameters that only more threads would obey."""
_RESET, _SIZE = 1, 2
_UNKNOWN_SIZE = (1 << 64) - 1
_SIZE_LIMIT = (1 << 64) - 2
_SMALLEST_DICTIONARY = 8
_DIGESTED, _UNDIGESTED, _PREFIX = range(3)
_parameter_types = [None, None]
"""Those of decompression, then those of compression."""


class ZstdError(Exception):
    """An error occurred in the zstd library."""


ZstdError.__module__ = "compression.zstd"


def _check(status, what):
    if status < 0:
        raise ZstdError(f"{what}: {_coders.zstd_message(status)}")


def _c_int(value):
    number = operator.index(value)
    if not -(1 << 31) <= number < 1 << 31:
        raise OverflowError("Python int too large to convert to C int")
    return number


class ZstdDict:
    """Represents a Zstandard dictionary.

      dict_content
        The content of a Zstandard dictionary as a bytes-like object.
      is_raw
        If true, perform no checks on *dict_content*, useful for some
        advanced cases. Otherwise, check that the content represents
        a Zstandard dictionary created by the zstd library or CLI.

    The dictionary can be used for compression or decompression, and can be
    shared by multiple ZstdCompressor or ZstdDecompressor objects.
    """

    def __new__(cls, dict_content, /, *, is_raw=False):
        self = object.__new__(cls)
        if isinstance(dict_content, (int, str)):
            raise TypeError(f"a bytes-like object is required, not '{type(dict_content).__name__}'")
        self._content, self._is_raw = bytes(dict_content), bool(is_raw)
        if len(self._content) < _SMALLEST_DICTIONARY:
            raise ValueError("Zstandard dictionary content too short (must have at least eight bytes)")
        self._id = _coders.zstd_dictionary_id(self._content)
        if not is_raw and self._id == 0:
            raise ValueError("invalid Zstandard dictionary")
        return self

    @property
    def dict_content(self):
        """The content of a Zstandard dictionary, as a bytes object."""
        return self._content

    @property
    def dict_id(self):
        """The Zstandard dictionary, an int between 0 and 2**32.

        A non-zero value represents an ordinary Zstandard dictionary,
        conforming to the standardised format.

        A value of zero indicates a 'raw content' dictionary,
        without any restrictions on format or content.
        """
        return self._id

    @property
    def as_digested_dict(self):
        """Load as a digested dictionary to compressor."""
        return self, _DIGESTED

    @property
    def as_undigested_dict(self):
        """Load as an undigested dictionary to compressor."""
        return self, _UNDIGESTED

    @property
    def as_prefix(self):
        """Load as a prefix to compressor/decompressor."""
        return self, _PREFIX

    def __len__(self):
        return len(self._content)

    def __repr__(self):
        return f"<ZstdDict dict_id={self._id} dict_size={len(self._content)}>"

    def __reduce__(self):
        raise TypeError("cannot pickle 'compression.zstd.ZstdDict' object")


def _load(coder, is_writer, dictionary):
    """Gives a coder its dictionary; the result has to live as long as the coder."""
    wanted, kind = dictionary, _DIGESTED
    if type(dictionary) is tuple and len(dictionary) == 2:
        wanted, kind = dictionary
    if not isinstance(wanted, ZstdDict) or not isinstance(kind, int) or _c_int(kind) not in (_DIGESTED, _UNDIGESTED, _PREFIX):
        raise TypeError("zstd_dict argument should be a ZstdDict object.")
    status = _coders.zstd_dictionary(coder, wanted._content, wanted._is_raw, kind == _PREFIX)
    if status < 0:
        raise ZstdError(f"Failed to create a ZSTD_{'C' if is_writer else 'D'}Dict instance from Zstandard dictionary content.")
    return wanted


def _set(coder, is_writer, options):
    word, other = ("compression", "Decompression") if is_writer else ("decompression", "Compression")
    other_type, own = _parameter_types[not is_writer], _parameter_types[is_writer]
    for key, value in options.items():
        if other_type is not None and type(key) is other_type:
            raise TypeError(f"{word} options dictionary key must not be a {other}Parameter attribute")
        key, value = _c_int(key), _c_int(value)
        if is_writer and key == ZSTD_c_compressionLevel:
            _set_level(coder, value)
            continue
        if is_writer and key in _ONE_THREAD:
            continue
        if _coders.zstd_set(coder, 0, key, value & (1 << 64) - 1) >= 0:
            continue
        name = own(key).name if own is not None and key in own._value2member_map_ else f"unknown parameter (key {key})"
        status, least, most = _coders.zstd_bounds(is_writer, key)
        if status < 0:
            raise ValueError(f"invalid {word} parameter '{name}'")
        raise ValueError(f"{word} parameter '{name}' received an illegal value {value}; the valid range is [{least}, {most}]")


def _set_level(coder, level):
    _, least, most = _coders.zstd_bounds(True, ZSTD_c_compressionLevel)
    if not least <= level <= most:
        number = f" {level}" if -(1 << 31) <= level < 1 << 31 else ""
        raise ValueError(f"illegal compression level{number}; the valid range is [{least}, {most}]")
    _coders.zstd_set(coder, 0, ZSTD_c_compressionLevel, level & (1 << 64) - 1)


class ZstdCompressor:
    """Create a compressor object for compressing data incrementally.

      level
        The compression level to use. Defaults to COMPRESSION_LEVEL_DEFAULT.
      options
        A dict object that contains advanced compression parameters.
      zstd_dict
        A ZstdDict object, a pre-trained Zstandard dictionary.

    Thread-safe at method level.  For one-shot compression, use the
    compress() function instead.
    """

    CONTINUE, FLUSH_BLOCK, FLUSH_FRAME = range(3)

    def __new__(cls, level=None, options=None, zstd_dict=None):
        if level is not None and options is not None:
            raise TypeError("Only one of level or options should be used.")
        if options is not None and not isinstance(options, dict):
            raise TypeError(f"ZstdCompressor() argument 'options' must be dict, not {type(options).__name__}")
        if level is not None and not isinstance(level, int):
            raise TypeError("invalid type for level, expected int")
        self = object.__new__(cls)
        self._coder, status = _coders.zstd(1)
        _check(status, "Unable to create ZSTD_CCtx instance")
        self._last_mode = self.FLUSH_FRAME
        if level is not None:
            _set_level(self._coder, level)
        if options is not None:
            _set(self._coder, True, options)
        self._dictionary = None if zstd_dict is None else _load(self._coder, True, zstd_dict)
        return self

    @property
    def last_mode(self):
        """The last mode used to compress data, as one of the three constants."""
        return self._last_mode

    def compress(self, data, mode=CONTINUE):
        """Provide data to the compressor object.

          mode
            Can be these 3 values ZstdCompressor.CONTINUE,
            ZstdCompressor.FLUSH_BLOCK, ZstdCompressor.FLUSH_FRAME

        Return a chunk of compressed data if possible, or b'' otherwise.
        When you have finished providing data to the compressor, call the
        flush() method to finish the compression process.
        """
        if _c_int(mode) not in (self.CONTINUE, self.FLUSH_BLOCK, self.FLUSH_FRAME):
            raise ValueError(
                "mode argument wrong value, it should be one of ZstdCompressor.CONTINUE, ZstdCompressor.FLUSH_BLOCK, "
                "ZstdCompressor.FLUSH_FRAME."
            )
        return self._run(data, mode)

    def flush(self, mode=FLUSH_FRAME):
        """Finish the compression process.

          mode
            Can be these 2 values ZstdCompressor.FLUSH_FRAME,
            ZstdCompressor.FLUSH_BLOCK

        Flush any remaining data left in internal buffers.  Since Zstandard
        data consists of one or more independent frames, the compressor
        object can still be used after this method is called.
        """
        if _c_int(mode) not in (self.FLUSH_BLOCK, self.FLUSH_FRAME):
            raise ValueError("mode argument wrong value, it should be ZstdCompressor.FLUSH_FRAME or ZstdCompressor.FLUSH_BLOCK.")
        return self._run(b"", mode)

    def _run(self, data, mode):
        output, _, status, _ = _coders.run(self._coder, data, -1, mode)
        if status < 0:
            self._last_mode = self.FLUSH_FRAME
            _coders.zstd_set(self._coder, _RESET, 0, 0)
            _check(status, "Unable to compress Zstandard data")
        self._last_mode = mode
        return output

    def set_pledged_input_size(self, size, /):
        """Set the uncompressed content size to be written into the frame header.

          size
            The size of the uncompressed data to be provided to the compressor.

        This method can be used to ensure the header of the frame about to
        be written includes the size of the data, unless the
        CompressionParameter.content_size_flag is set to False.
        If last_mode != FLUSH_FRAME, then a RuntimeError is raised.

        It is important to ensure that the pledged data size matches the
        actual data size.  If they do not match the compressed output data
        may be corrupted and the final chunk written may be lost.
        """
        if size is None:
            size = _UNKNOWN_SIZE
        elif not isinstance(size, int):
            raise TypeError("an integer is required")
        elif not 0 <= size < _SIZE_LIMIT:
            raise ValueError(f"size argument should be a positive int less than {_SIZE_LIMIT}")
        if self._last_mode != self.FLUSH_FRAME:
            raise ValueError("set_pledged_input_size() method must be called when last_mode == FLUSH_FRAME")
        _check(_coders.zstd_set(self._coder, _SIZE, 0, size), "Unable to set pledged uncompressed content size")

    def __reduce__(self):
        raise TypeError("cannot pickle 'compression.zstd.ZstdCompressor' object")


class ZstdDecompressor(Decoder):
    """Create a decompressor object for decompressing data incrementally.

      zstd_dict
        A ZstdDict object, a pre-trained Zstandard dictionary.
      options
        A dict object that contains advanced decompression parameters.

    Thread-safe at method level.  For one-shot decompression, use the
    decompress() function instead.
    """

    def __new__(cls, zstd_dict=None, options=None):
        if options is not None and not isinstance(options, dict):
            raise TypeError(f"ZstdDecompressor() argument 'options' must be dict, not {type(options).__name__}")
        self = object.__new__(cls)
        coder, status = _coders.zstd(0)
        _check(status, "Unable to create ZSTD_DCtx instance")
        self._begin(coder)
        self._dictionary = None if zstd_dict is None else _load(coder, False, zstd_dict)
        if options is not None:
            _set(coder, False, options)
        return self

    def decompress(self, data, max_length=-1):
        """Decompress *data*, returning uncompressed bytes if possible, or b'' otherwise.

          data
            A bytes-like object, Zstandard data to be decompressed.
          max_length
            Maximum size of returned data. When it is negative, the size of
            output buffer is unlimited. When it is nonnegative, returns at
            most max_length bytes of decompressed data.

        If *max_length* is nonnegative, returns at most *max_length* bytes
        of decompressed data.  If this limit is reached and further output
        can be produced, *self.needs_input* will be set to ``False``.  In
        this case, the next call to *decompress()* may provide *data* as b''
        to obtain more of the output.

        If all of the input data was decompressed and returned (either
        because this was less than *max_length* bytes, or because
        *max_length* was negative), *self.needs_input* will be set to True.

        Attempting to decompress data after the end of a frame is reached
        raises an EOFError.  Any data found after the end of the frame is
        ignored and saved in the self.unused_data attribute.
        """
        if self._eof:
            raise EOFError("Already at the end of a Zstandard frame.")
        return self._decode(data, max_length)

    def _fail(self, status):
        # The next data may be another frame's.
        _coders.zstd_set(self._coder, _RESET, 0, 0)
        self._needs_input = True
        _check(status, "Unable to decompress Zstandard data")


for _type in (ZstdDict, ZstdCompressor, ZstdDecompressor):
    _type.__module__ = "compression.zstd"


def _sizes(samples, sizes, dict_size, function):
    if not isinstance(samples, bytes):
        raise TypeError(f"{function}() argument 1 must be bytes, not {type(samples).__name__}")
    if not isinstance(sizes, tuple):
        raise TypeError(f"{function}() argument 2 must be tuple, not {type(sizes).__name__}")
    if _c_int(dict_size) <= 0:
        raise ValueError("dict_size argument should be positive number.")
    if not all(isinstance(size, int) for size in sizes):
        raise TypeError("an integer is required")
    if sum(sizes) != len(samples) or min(sizes, default=0) < 0:
        raise ValueError("The samples size tuple doesn't match the concatenation's size.")
    return array.array("L", sizes)


def train_dict(samples_bytes, samples_sizes, dict_size, /):
    """Train a Zstandard dictionary on sample data.

      samples_bytes
        Concatenation of samples.
      samples_sizes
        Tuple of samples' sizes.
      dict_size
        The size of the dictionary.
    """
    sizes = _sizes(samples_bytes, samples_sizes, dict_size, "train_dict")
    content, status = _coders.zstd_train(samples_bytes, sizes, b"", 0, 0, dict_size)
    _check(status, "Unable to train the Zstandard dictionary")
    return content


def finalize_dict(custom_dict_bytes, samples_bytes, samples_sizes, dict_size, compression_level, /):
    """Finalize a Zstandard dictionary.

      custom_dict_bytes
        Custom dictionary content.
      samples_bytes
        Concatenation of samples.
      samples_sizes
        Tuple of samples' sizes.
      dict_size
        The size of the dictionary.
      compression_level
        Optimize for a specific Zstandard compression level, 0 means default.
    """
    sizes = _sizes(samples_bytes, samples_sizes, dict_size, "finalize_dict")
    if not isinstance(custom_dict_bytes, bytes):
        raise TypeError(f"finalize_dict() argument 1 must be bytes, not {type(custom_dict_bytes).__name__}")
    content, status = _coders.zstd_train(samples_bytes, sizes, custom_dict_bytes, 1, _c_int(compression_level), dict_size)
    _check(status, "Unable to finalize the Zstandard dictionary")
    return content


def get_param_bounds(parameter, is_compress):
    """Get CompressionParameter/DecompressionParameter bounds.

      parameter
        The parameter to get bounds.
      is_compress
        True for CompressionParameter, False for DecompressionParameter.
    """
    status, least, most = _coders.zstd_bounds(bool(is_compress), parameter)
    _check(status, f"Unable to get zstd {'' if is_compress else 'de'}compression parameter bounds")
    return least, most


def get_frame_size(frame_buffer):
    """Get the size of a Zstandard frame, including the header and optional checksum.

      frame_buffer
        A bytes-like object, it should start from the beginning of a frame,
        and contains at least one complete frame.
    """
    status, size, *_ = _coders.zstd_frame(frame_buffer)
    _check(
        status,
        "Error when finding the compressed size of a Zstandard frame. Ensure the frame_buffer argument starts from the beginning of a "
        "frame, and its length is not less than this complete frame. Zstd error message",
    )
    return size


def get_frame_info(frame_buffer):
    """Get Zstandard frame infomation from a frame header.

      frame_buffer
        A bytes-like object, containing the header of a Zstandard frame.
    """
    _, _, is_frame, is_known, content, dictionary = _coders.zstd_frame(frame_buffer)
    if not is_frame:
        raise ZstdError(
            "Error when getting information from the header of a Zstandard frame. Ensure the frame_buffer argument starts from the "
            "beginning of a frame, and its length is not less than the frame header (6~18 bytes)."
        )
    return content if is_known else None, dictionary


def set_parameter_types(c_parameter_type, d_parameter_type):
    """Set CompressionParameter and DecompressionParameter types for validity check.

      c_parameter_type
        CompressionParameter IntEnum type object
      d_parameter_type
        DecompressionParameter IntEnum type object
    """
    for name, given in (("c_parameter_type", c_parameter_type), ("d_parameter_type", d_parameter_type)):
        if not isinstance(given, type):
            raise TypeError(f"set_parameter_types() argument '{name}' must be type, not {type(given).__name__}")
    _parameter_types[:] = d_parameter_type, c_parameter_type
