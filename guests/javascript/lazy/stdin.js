//! Standard input: which bytes does `process.stdin` give, and when?
(native, internal) => {
  const { Readable } = internal.builtin('stream');

  // Reading blocks, so it is put off until the program wants more, and never done while it has paused the stream.
  class Stdin extends Readable {
    constructor() {
      super({ highWaterMark: 65536, autoDestroy: true });
      this.fd = 0;
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

  return { Stdin };
}
