//! `node:zlib`: how are bytes compressed and decompressed? (over the library `pako`)
(native, internal) => {
  const { codedError } = internal;
  const { Buffer } = globalThis;
  const { Transform } = internal.builtin('stream');
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

  const runSync = (kind, data, options) => {
    const parts = [], bytes = bytesOf(data), settings = options ?? {}, most = settings.maxOutputLength ?? 2147483647;
    let size = 0;
    const take = (part) => {
      size += part.length;
      if (size > most) throw codedError(RangeError, 'ERR_BUFFER_TOO_LARGE', `Cannot create a Buffer larger than ${most} bytes`);
      parts.push(part);
    };
    const engine = engineFor(kind, settings, take);
    feed(engine, bytes, constants.Z_NO_FLUSH);
    end(kind, engine, settings, take);
    const buffer = Buffer.concat(parts);
    return settings.info ? { buffer, engine } : buffer;
  };
  const run = (kind, data, options, callback) => {
    if (typeof options === 'function') [options, callback] = [undefined, options];
    if (typeof callback !== 'function') throw codedError(TypeError, 'ERR_INVALID_ARG_TYPE', `The "callback" argument must be of type function. Received ${internal.received(callback)}`);
    const bytes = bytesOf(data);
    setImmediate(() => {
      let outcome;
      try { outcome = [null, runSync(kind, bytes, options)]; } catch (error) { outcome = [error]; }
      callback(...outcome);
    });
  };

  class ZlibBase extends Transform {
    constructor(kind, options = {}) {
      super({ autoDestroy: true, ...options, objectMode: false, decodeStrings: true });
      const take = (part) => { this.push(internal.toBuffer(part)); };
      const state = { kind, options, take, engine: engineFor(kind, options ?? {}, take), flushes: new Map() };
      Object.defineProperty(this, '_zlib', { value: state, writable: true, enumerable: false });
      this.bytesWritten = 0;
    }
    get bytesRead() { return this.bytesWritten; }
    _transform(chunk, encoding, callback) {
      const { engine, flushes, take, kind } = this._zlib;
      const flush = flushes.get(chunk) ?? constants.Z_NO_FLUSH;
      flushes.delete(chunk);
      try {
        feed(engine, bytesOf(chunk), flush);
        if (flush !== constants.Z_NO_FLUSH && !kinds[kind].packs) drain(engine, take);
      } catch (error) { callback(error); return; }
      this.bytesWritten += chunk.length;
      callback();
    }
    _flush(callback) {
      const { kind, engine, options, take } = this._zlib;
      try { end(kind, engine, options ?? {}, take); } catch (error) { callback(error); return; }
      callback();
    }
    flush(kind, callback) {
      if (typeof kind === 'function') [kind, callback] = [undefined, kind];
      if (this.writableEnded) { if (callback) this.once('end', callback); return; }
      const mark = Buffer.alloc(0);
      this._zlib.flushes.set(mark, kind ?? constants.Z_FULL_FLUSH);
      this.write(mark, callback);
    }
    close(callback) { if (callback) this.once('close', callback); this.destroy(); }
    reset() { const { kind, options, take } = this._zlib; this._zlib.engine = engineFor(kind, options ?? {}, take); }
    params(level, strategy, callback) {
      Object.assign(this._zlib, { options: { ...this._zlib.options, level, strategy } });
      this.flush(constants.Z_SYNC_FLUSH, callback);
    }
  }

  const zlib = { constants, codes };
  for (const name of Object.keys(constants)) if (name.startsWith('Z_')) zlib[name] = constants[name];
  const methods = { Deflate: 'deflate', Gzip: 'gzip', DeflateRaw: 'deflateRaw', Inflate: 'inflate', Gunzip: 'gunzip', InflateRaw: 'inflateRaw', Unzip: 'unzip' };
  for (const [kind, method] of Object.entries(methods)) {
    const Class = { [kind]: class extends ZlibBase { constructor(options) { super(kind, options ?? {}); } } }[kind];
    // Old programs call it without `new`.
    zlib[kind] = new Proxy(Class, { apply: (target, self, [options]) => new Class(options) });
    zlib[`create${kind}`] = (options) => new Class(options);
    zlib[method] = (data, options, callback) => run(kind, data, options, callback);
    zlib[`${method}Sync`] = (data, options) => runSync(kind, data, options);
  }
  const unavailable = (format) => () => {
    throw codedError(Error, 'ERR_FEATURE_UNAVAILABLE_ON_PLATFORM', `${format} is not in the sandbox; gzip and deflate are`);
  };
  for (const name of ['brotliCompress', 'brotliDecompress', 'brotliCompressSync', 'brotliDecompressSync', 'createBrotliCompress', 'createBrotliDecompress']) zlib[name] = unavailable('Brotli');
  for (const name of ['zstdCompress', 'zstdDecompress', 'zstdCompressSync', 'zstdDecompressSync', 'createZstdCompress', 'createZstdDecompress']) zlib[name] = unavailable('Zstandard');
  const table = Int32Array.from({ length: 256 }, (_, value) => {
    for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
    return value;
  });
  zlib.crc32 = (data, before = 0) => {
    let sum = ~before;
    for (const byte of bytesOf(data)) sum = (sum >>> 8) ^ table[(sum ^ byte) & 255];
    return ~sum >>> 0;
  };
  return zlib;
}
