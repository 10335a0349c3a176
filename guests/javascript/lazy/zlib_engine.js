//! Compression: how do `node:zlib` and the streams of the web drive the library `pako`?
(native, internal) => {
  const { codedError } = internal;
  const pako = internal.library('zlib').pako();
  const constants = {
    Z_NO_FLUSH: 0, Z_PARTIAL_FLUSH: 1, Z_SYNC_FLUSH: 2, Z_FULL_FLUSH: 3, Z_FINISH: 4, Z_BLOCK: 5,
    Z_OK: 0, Z_STREAM_END: 1, Z_NEED_DICT: 2, Z_ERRNO: -1, Z_STREAM_ERROR: -2, Z_DATA_ERROR: -3, Z_MEM_ERROR: -4, Z_BUF_ERROR: -5, Z_VERSION_ERROR: -6,
    Z_NO_COMPRESSION: 0, Z_BEST_SPEED: 1, Z_BEST_COMPRESSION: 9, Z_DEFAULT_COMPRESSION: -1,
    Z_FILTERED: 1, Z_HUFFMAN_ONLY: 2, Z_RLE: 3, Z_FIXED: 4, Z_DEFAULT_STRATEGY: 0,
    DEFLATE: 1, INFLATE: 2, GZIP: 3, GUNZIP: 4, DEFLATERAW: 5, INFLATERAW: 6, UNZIP: 7,
    Z_MIN_WINDOWBITS: 8, Z_MAX_WINDOWBITS: 15, Z_DEFAULT_WINDOWBITS: 15, Z_MIN_CHUNK: 64, Z_MAX_CHUNK: Infinity, Z_DEFAULT_CHUNK: 16384,
    Z_MIN_MEMLEVEL: 1, Z_MAX_MEMLEVEL: 9, Z_DEFAULT_MEMLEVEL: 8, Z_MIN_LEVEL: -1, Z_MAX_LEVEL: 9, Z_DEFAULT_LEVEL: -1,
  };
  const codes = Object.fromEntries(['Z_OK', 'Z_STREAM_END', 'Z_NEED_DICT', 'Z_ERRNO', 'Z_STREAM_ERROR', 'Z_DATA_ERROR', 'Z_MEM_ERROR', 'Z_BUF_ERROR', 'Z_VERSION_ERROR']
    .flatMap((name) => [[name, constants[name]], [constants[name], name]]));
  const texts = { Z_NEED_DICT: 'Missing dictionary', Z_BUF_ERROR: 'unexpected end of file' };
  const zlibError = (status, message) => {
    const code = codes[status] ?? 'Z_STREAM_ERROR';
    const error = codedError(Error, code, message || texts[code] || 'Zlib error');
    error.errno = status;
    return error;
  };

  // What the library calls each kind.
  const kinds = {
    Deflate: { packs: true }, Gzip: { packs: true, gzip: true }, DeflateRaw: { packs: true, raw: true },
    Inflate: {}, Gunzip: { extra: 16 }, InflateRaw: { raw: true }, Unzip: { extra: 32 },
  };
  const bytesOf = (data) => {
    if (typeof data === 'string') return native.encodeUtf8(data);
    if (ArrayBuffer.isView(data)) return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
    if (native.classOf(data) === 'ArrayBuffer') return new Uint8Array(data);
    throw codedError(TypeError, 'ERR_INVALID_ARG_TYPE', `The "buffer" argument must be of type string or an instance of Buffer, TypedArray, DataView, or ArrayBuffer. Received ${internal.received(data)}`);
  };
  const inRange = (options, name, low, high) => {
    const value = options[name];
    if (value === undefined || value === null) return undefined;
    if (typeof value !== 'number') throw codedError(TypeError, 'ERR_INVALID_ARG_TYPE', `The "options.${name}" property must be of type number. Received ${internal.received(value)}`);
    if (!(value >= low && value <= high)) throw codedError(RangeError, 'ERR_OUT_OF_RANGE', `The value of "options.${name}" is out of range. It must be >= ${low} and <= ${high}. Received ${value}`);
    return value;
  };
  const settingsOf = (kind, options) => {
    const { packs, gzip, raw, extra = 0 } = kinds[kind];
    const bits = inRange(options, 'windowBits', packs ? 8 : 0, 15) || 15;
    const settings = { chunkSize: inRange(options, 'chunkSize', 64, Infinity) ?? 16384, windowBits: packs || raw ? bits : bits + extra };
    const chosen = {
      level: inRange(options, 'level', -1, 9), memLevel: inRange(options, 'memLevel', 1, 9), strategy: inRange(options, 'strategy', 0, 4),
      dictionary: options.dictionary === undefined ? undefined : bytesOf(options.dictionary), gzip, raw,
    };
    for (const [name, value] of Object.entries(chosen)) if (value !== undefined) settings[name] = value;
    return settings;
  };
  const engineFor = (kind, options, take) => {
    const Class = kinds[kind].packs ? pako.Deflate : pako.Inflate;
    let engine;
    try { engine = new Class(settingsOf(kind, options)); } catch (error) {
      if (error.code) throw error;
      throw codedError(Error, 'ERR_ZLIB_INITIALIZATION_FAILED', 'Initialization failed');
    }
    engine.onData = take;
    engine.onEnd = (status) => { engine.err = status; engine.msg = engine.strm.msg; };
    return engine;
  };
  const feed = (engine, bytes, flush) => {
    engine.push(bytes, flush);
    if (engine.err) throw zlibError(engine.err, engine.msg);
  };
  // What the engine still holds of its last piece.
  const drain = (engine, take) => {
    const { strm } = engine;
    if (strm.next_out > 0 && strm.avail_out > 0) take(strm.output.slice(0, strm.next_out));
    strm.avail_out = 0;
    strm.next_out = 0;
  };
  const end = (kind, engine, options, take) => {
    if (kinds[kind].packs) feed(engine, new Uint8Array(0), constants.Z_FINISH);
    else if (!engine.ended) {
      if (options.finishFlush === undefined || options.finishFlush === constants.Z_FINISH) throw zlibError(constants.Z_BUF_ERROR);
      drain(engine, take);
    }
  };
  return { constants, codes, kinds, bytesOf, engineFor, feed, drain, end };
}
