//! `node:zlib`: how are bytes compressed and decompressed? (over the library `pako`)
(native, internal) => {
  const { codedError } = internal;
  const { Buffer } = globalThis;
  const { Transform } = internal.builtin('stream');
  const { constants, codes, bytesOf, kinds, engineFor, feed, drain, end } = internal.lazy('zlib_engine');

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
