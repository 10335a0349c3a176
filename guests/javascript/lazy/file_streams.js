//! Streams of files and of standard input: which bytes do they give and take, and when? (over the library `readable-stream`)
(native, internal) => {
  const { codedError } = internal;
  const { Buffer } = globalThis;
  const { Readable, Writable } = internal.builtin('stream');
  const { fs } = internal;

  const settingsOf = (options) => {
    if (options === undefined || options === null) return {};
    if (typeof options === 'string') return { encoding: options };
    if (typeof options !== 'object') throw codedError(TypeError, 'ERR_INVALID_ARG_TYPE', `The "options" argument must be of type string or an instance of Object. Received ${internal.received(options)}`);
    return { ...options };
  };
  const needPosition = (value, name) => {
    if (value === undefined) return;
    if (typeof value !== 'number') throw codedError(TypeError, 'ERR_INVALID_ARG_TYPE', `The "${name}" argument must be of type number. Received ${internal.received(value)}`);
    if (!(value >= 0) || (value !== Infinity && !Number.isInteger(value))) throw codedError(RangeError, 'ERR_OUT_OF_RANGE', `The value of "${name}" is out of range. It must be >= 0 and <= 9007199254740991. Received ${value}`);
  };
  const openIn = (stream, flags, callback) => {
    if (typeof stream.fd === 'number') { callback(); return; }
    let failure = null;
    try { stream.fd = fs.openSync(stream.path, flags, stream.mode); } catch (error) { failure = error; }
    callback(failure);
    if (failure) return;
    stream.emit('open', stream.fd);
    stream.emit('ready');
  };
  const closeOf = (stream, error, callback) => {
    const { fd } = stream;
    stream.fd = null;
    let failure = error;
    if (typeof fd === 'number' && stream.autoClose) try { fs.closeSync(fd); } catch (problem) { failure ??= problem; }
    callback(failure);
  };
  const descriptorOf = (settings) => (typeof settings.fd === 'object' && settings.fd !== null ? settings.fd.fd : settings.fd);

  class ReadStream extends Readable {
    constructor(path, options) {
      const settings = settingsOf(options);
      settings.highWaterMark ??= 65536;
      const { start, end = Infinity } = settings;
      needPosition(start, 'start');
      needPosition(settings.end, 'end');
      if (start !== undefined && start > end) throw codedError(RangeError, 'ERR_OUT_OF_RANGE', `The value of "start" is out of range. It must be <= "end" (here: ${end}). Received ${start}`);
      const fd = descriptorOf(settings);
      if (fd === undefined || fd === null) internal.checkPath(path);
      // What the stream decodes keeps characters whole that lie across two chunks.
      super({ ...settings, objectMode: false, emitClose: settings.emitClose ?? true, autoDestroy: settings.autoClose ?? true });
      Object.assign(this, { path, fd: fd ?? (internal.isStdinPath(path) ? 0 : null), flags: settings.flags ?? 'r', mode: settings.mode ?? 0o666, start, end, pos: start, bytesRead: 0, autoClose: settings.autoClose ?? true });
    }
    get pending() { return this.fd === null; }
    get closed() { return this._readableState.closed; }
    _construct(callback) { openIn(this, this.flags, callback); }
    _read(size) {
      const left = this.end - (this.start ?? 0) + 1 - this.bytesRead;
      const wanted = Math.min(size, left);
      if (wanted <= 0) { this.push(null); return; }
      setImmediate(() => {
        if (this.destroyed) return;
        const buffer = Buffer.allocUnsafe(wanted);
        let count;
        try { count = fs.readSync(this.fd, buffer, 0, wanted, this.pos ?? null); } catch (error) { this.destroy(error); return; }
        if (this.pos !== undefined) this.pos += count;
        this.bytesRead += count;
        this.push(count === 0 ? null : buffer.subarray(0, count));
      });
    }
    _destroy(error, callback) { closeOf(this, error, callback); }
    close(callback) { if (callback) { if (this.closed) internal.nextTick(callback, []); else this.once('close', callback); } this.destroy(); }
  }

  class WriteStream extends Writable {
    constructor(path, options) {
      const settings = settingsOf(options);
      needPosition(settings.start, 'start');
      const fd = descriptorOf(settings);
      if (fd === undefined || fd === null) internal.checkPath(path);
      super({ ...settings, objectMode: false, decodeStrings: true, emitClose: settings.emitClose ?? true, autoDestroy: settings.autoClose ?? true });
      Object.assign(this, { path, fd: fd ?? null, flags: settings.flags ?? (settings.start === undefined ? 'w' : 'r+'), mode: settings.mode ?? 0o666, start: settings.start, pos: settings.start, bytesWritten: 0, autoClose: settings.autoClose ?? true });
      if (settings.encoding) this.setDefaultEncoding(settings.encoding);
    }
    get pending() { return this.fd === null; }
    get closed() { return this._writableState.closed; }
    _construct(callback) { openIn(this, this.flags, callback); }
    _write(chunk, encoding, callback) {
      let count;
      try { count = fs.writeSync(this.fd, chunk, 0, chunk.length, this.pos ?? null); } catch (error) { callback(error); return; }
      this.bytesWritten += count;
      if (this.pos !== undefined) this.pos += count;
      setImmediate(callback);
    }
    _writev(parts, callback) { this._write(Buffer.concat(parts.map(({ chunk }) => chunk)), 'buffer', callback); }
    _destroy(error, callback) { closeOf(this, error, callback); }
    close(callback) {
      if (callback) { if (this.closed) internal.nextTick(callback, []); else this.once('close', callback); }
      if (!this.autoClose) this.once('finish', () => this.destroy());
      this.end();
    }
    destroySoon() { this.end(); }
  }

  // Reading blocks, so it is put off until the program wants more, and never done while it has paused the stream.
  class Stdin extends Readable {
    constructor() {
      super({ highWaterMark: 65536, autoDestroy: true });
      Object.assign(this, { fd: 0, isTTY: false, isRaw: false });
      for (const [name, value] of [['_isPaused', false], ['_isWaiting', false]]) Object.defineProperty(this, name, { value, writable: true, enumerable: false });
    }
    _read() {
      setImmediate(() => {
        if (this.destroyed) return;
        if (this._isPaused) { this._isWaiting = true; return; }
        const chunk = internal.readInput();
        this.push(chunk.length === 0 ? null : internal.toBuffer(chunk));
      });
    }
    pause() { this._isPaused = true; return super.pause(); }
    resume() {
      this._isPaused = false;
      if (this._isWaiting) { this._isWaiting = false; this._read(); }
      return super.resume();
    }
    on(name, listener) {
      if (name === 'readable') this._isPaused = false;
      if (name === 'readable' && this._isWaiting) { this._isWaiting = false; this._read(); }
      return super.on(name, listener);
    }
    addListener(name, listener) { return this.on(name, listener); }
    setRawMode() { return this; }
    ref() { return this; }
    unref() { return this; }
  }

  return { ReadStream, WriteStream, Stdin };
}
