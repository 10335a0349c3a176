"""xz: the classes and functions of `_lzma`, over the coder of the library."""

import operator

import _coders
from compression._common._stream import Compressor, Decompressor

FORMAT_AUTO, FORMAT_XZ, FORMAT_ALONE, FORMAT_RAW = range(4)
CHECK_NONE, CHECK_CRC32, CHECK_CRC64, CHECK_SHA256, CHECK_ID_MAX, CHECK_UNKNOWN = 0, 1, 4, 10, 15, 16
FILTER_LZMA1, FILTER_LZMA2, FILTER_DELTA = 0x4000000000000001, 0x21, 0x03
FILTER_X86, FILTER_POWERPC, FILTER_IA64, FILTER_ARM, FILTER_ARMTHUMB, FILTER_SPARC = range(4, 10)
MF_HC3, MF_HC4, MF_BT2, MF_BT3, MF_BT4 = 0x03, 0x04, 0x12, 0x13, 0x14
MODE_FAST, MODE_NORMAL = 1, 2
PRESET_DEFAULT, PRESET_EXTREME = 6, 1 << 31

__all__ = [name for name in globals() if name.isupper()]
__all__ += ["LZMACompressor", "LZMADecompressor", "LZMAError", "is_check_supported"]

_NO_LIMIT = (1 << 64) - 1
_MOST_FILTERS = 4
_NAMES = {
    FILTER_LZMA1: "lzma1", FILTER_LZMA2: "lzma2", FILTER_DELTA: "delta", FILTER_X86: "x86", FILTER_POWERPC: "powerpc", FILTER_IA64: "ia64",
    FILTER_ARM: "arm", FILTER_ARMTHUMB: "armthumb", FILTER_SPARC: "sparc",
}
_FINDERS = {MF_HC3: "hc3", MF_HC4: "hc4", MF_BT2: "bt2", MF_BT3: "bt3", MF_BT4: "bt4"}
_MODES = {MODE_FAST: "fast", MODE_NORMAL: "normal"}
# Keys of a specification, and what the library's text has for them.
_LZMA = {
    "dict_size": "dict", "lc": "lc", "lp": "lp", "pb": "pb", "mode": "mode", "nice_len": "nice", "mf": "mf", "depth": "depth",
}
_KINDS = {"lzma1": "LZMA", "lzma2": "LZMA", "delta": "delta"}
_MESSAGES = {
    3: "Unsupported integrity check", 6: "Memory usage limit exceeded", 7: "Input format not supported by decoder",
    8: "Invalid or unsupported options", 9: "Corrupt input data", 10: "Insufficient buffer space", 11: "Internal error",
}


class LZMAError(Exception):
    """Call to liblzma failed."""


def _fail(number):
    if number == 5:
        raise MemoryError
    raise LZMAError(_MESSAGES.get(number, f"Unrecognized error from liblzma: {number}"))


def _made(writes, format, check, text, preset, limit):
    coder, number = _coders.lzma(writes, format, check, text, preset, limit)
    if isinstance(coder, str):
        raise LZMAError("Invalid or unsupported options")
    if number:
        _fail(number)
    return coder


def _number(value):
    return str(operator.index(value))


def _text(filter):
    """One filter of a chain as the library's tools write it."""
    if not hasattr(filter, "keys"):
        raise TypeError("Filter specifier must be a dict or dict-like object")
    try:
        id = filter["id"]
    except KeyError:
        raise ValueError('Filter specifier must have an "id" entry') from None
    if operator.index(id) not in _NAMES:
        raise ValueError(f"Invalid filter ID: {id}")
    name = _NAMES[id]
    known = {**_LZMA, "preset": "preset"} if name in ("lzma1", "lzma2") else {"dist": "dist"} if name == "delta" else {"start_offset": "start"}
    if not known.keys() >= filter.keys() - {"id"}:
        raise ValueError(f"Invalid filter specifier for {_KINDS.get(name, 'BCJ')} filter")
    options = []
    # First, because it sets all others.
    if "preset" in filter:
        preset = operator.index(filter["preset"])
        if preset & ~PRESET_EXTREME not in range(10):
            raise LZMAError(f"Invalid compression preset: {preset}")
        options.append(f"preset={_preset(preset)}")
    for key, value in filter.items():
        if key == "mf":
            value = _FINDERS.get(operator.index(value), "none")
        elif key == "mode":
            value = _MODES.get(operator.index(value), "none")
        elif key not in ("id", "preset"):
            value = _number(value)
        else:
            continue
        options.append(f"{known[key]}={value}")
    return f"{name}:{','.join(options)}" if options else name


def _preset(preset):
    return f"{preset & ~PRESET_EXTREME}{'e' if preset & PRESET_EXTREME else ''}"


def _chain(filters):
    if isinstance(filters, dict):
        raise TypeError("dict is not a sequence")
    if len(filters) > _MOST_FILTERS:
        raise ValueError(f"Too many filters - liblzma supports a maximum of {_MOST_FILTERS}")
    texts = [_text(filter) for filter in filters]
    if not texts:
        _fail(11)
    return " ".join(texts)


class LZMACompressor(Compressor):
    """LZMACompressor(format=FORMAT_XZ, check=-1, preset=None, filters=None)

    Create a compressor object for compressing data incrementally.

    format specifies the container format to use for the output. This can
    be FORMAT_XZ (default), FORMAT_ALONE, or FORMAT_RAW.

    check specifies the integrity check to use. For FORMAT_XZ, the default
    is CHECK_CRC64. FORMAT_ALONE and FORMAT_RAW do not support integrity
    checks; for these formats, check must be omitted, or be CHECK_NONE.

    The settings used by the compressor can be specified either as a
    preset compression level (with the 'preset' argument), or in detail
    as a custom filter chain (with the 'filters' argument). For FORMAT_XZ
    and FORMAT_ALONE, the default is to use the PRESET_DEFAULT preset
    level. For FORMAT_RAW, the caller must always specify a filter chain;
    the raw compressor does not support preset compression levels.

    preset (if provided) should be an integer in the range 0-9, optionally
    OR-ed with the constant PRESET_EXTREME.

    filters (if provided) should be a sequence of dicts. Each dict should
    have an entry for "id" indicating the ID of the filter, plus
    additional entries for options to the filter.

    For one-shot compression, use the compress() function instead.
    """

    def __new__(cls, format=FORMAT_XZ, check=-1, preset=None, filters=None):
        format, check = operator.index(format), operator.index(check)
        if preset is not None and filters is not None:
            raise ValueError("Cannot specify both preset and filter chain")
        number = PRESET_DEFAULT if preset is None else operator.index(preset)
        if not 0 <= number < 1 << 32:
            raise OverflowError("Value too large for uint32_t type") if number > 0 else ValueError("can't convert negative int to unsigned")
        if format != FORMAT_XZ and check not in (-1, CHECK_NONE):
            raise ValueError("Integrity checks are only supported by FORMAT_XZ")
        if format not in (FORMAT_XZ, FORMAT_ALONE, FORMAT_RAW):
            raise ValueError(f"Invalid container format: {format}")
        if format == FORMAT_RAW and filters is None:
            raise ValueError("Must specify filters for FORMAT_RAW")
        text = None if filters is None else _chain(filters)
        if format == FORMAT_ALONE and text is not None and (len(filters) != 1 or not text.startswith("lzma1")):
            raise ValueError("Invalid filter chain for FORMAT_ALONE - must be a single LZMA1 filter")
        self = object.__new__(cls)
        self._begin(_made(1, format, CHECK_CRC64 if check == -1 else check, text, number, _NO_LIMIT))
        return self

    def _fail(self, status):
        _fail(-status)


class LZMADecompressor(Decompressor):
    """Create a decompressor object for decompressing data incrementally.

      format
        Specifies the container format of the input stream.  If this is
        FORMAT_AUTO (the default), the decompressor will automatically detect
        whether the input is FORMAT_XZ or FORMAT_ALONE.  Streams created with
        FORMAT_RAW cannot be autodetected.
      memlimit
        Limit the amount of memory used by the decompressor.  This will cause
        decompression to fail if the input cannot be decompressed within the
        given limit.
      filters
        A custom filter chain.  This argument is required for FORMAT_RAW, and
        not accepted with any other format.  When provided, this should be a
        sequence of dicts, each indicating the ID and options for a single
        filter.

    For one-shot decompression, use the decompress() function instead.
    """

    ENDED = "Already at end of stream"

    def __new__(cls, format=FORMAT_AUTO, memlimit=None, filters=None):
        format = operator.index(format)
        limit = _NO_LIMIT
        if memlimit is not None:
            if format == FORMAT_RAW:
                raise ValueError("Cannot specify memory limit with FORMAT_RAW")
            limit = operator.index(memlimit)
        if format == FORMAT_RAW and filters is None:
            raise ValueError("Must specify filters for FORMAT_RAW")
        if format != FORMAT_RAW and filters is not None:
            raise ValueError("Cannot specify filters except with FORMAT_RAW")
        if format not in range(4):
            raise ValueError(f"Invalid container format: {format}")
        check = CHECK_NONE if format in (FORMAT_ALONE, FORMAT_RAW) else CHECK_UNKNOWN
        self = object.__new__(cls)
        self._begin(_made(0, format, check, None if filters is None else _chain(filters), 0, limit))
        return self

    @property
    def check(self):
        """ID of the integrity check used by the input stream."""
        return CHECK_UNKNOWN if self._coder is None else _coders.lzma_check(self._coder)

    def _fail(self, status):
        _fail(-status)


def is_check_supported(check_id, /):
    """Test whether the given integrity check is supported.

    Always returns True for CHECK_NONE and CHECK_CRC32.
    """
    return bool(_coders.lzma_has_check(check_id))


def _encode_filter_properties(filter, /):
    """Return a bytes object encoding the options (properties) of the filter specified by *filter* (a dict).

    The result does not include the filter ID itself, only the options.
    """
    properties, number = _coders.lzma_properties(_text(filter))
    if isinstance(properties, str):
        raise LZMAError("Invalid or unsupported options")
    if number:
        _fail(number)
    return properties


def _decode_filter_properties(filter_id, encoded_props, /):
    """Return a dict describing the options of a filter.

    *filter_id* is its ID, *encoded_props* its encoded options (properties).

    The result does not include the filter ID itself, only the options.
    """
    number, has_options, size, lc, lp, pb = _coders.lzma_options(filter_id, encoded_props)
    if number:
        _fail(number)
    result = {"id": filter_id}
    if filter_id == FILTER_LZMA1:
        result.update(dict_size=size, lc=lc, lp=lp, pb=pb)
    elif has_options:
        result["dict_size" if filter_id == FILTER_LZMA2 else "dist" if filter_id == FILTER_DELTA else "start_offset"] = size
    return result
