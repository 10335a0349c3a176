//! `process.stdout` and `process.stderr`: how are they streams of Node without the cost of one?
//!
//! Their class is there from the start, but the state of a stream is made when something asks for more than to write a short text.
(native, internal) => {
  const LONGEST_SHORT_TEXT = 16384;
  const { write: send } = native;
  const { create, defineProperty, setPrototypeOf } = Object;
  const { apply } = Reflect;
  const ownValue = (object, name, value, enumerable) => defineProperty(object, name, { value, writable: true, enumerable, configurable: true });
  const opened = [];

  // As in Node, the stream stays open: it can be ended and destroyed, and written to thereafter.
  const destroy = function (error, callback) {
    callback(error);
    this._undestroy();
    if (!this._writableState.emitClose) internal.nextTick(() => this.emit('close'), []);
  };

  // What a stream has that the program cannot change. The constructor puts it into an object that is there already.
  class Marked { constructor(object) { return object; } }
  class Mark extends Marked {
    #fd; #isAsleep = true;
    constructor(stream, fd) { super(stream); this.#fd = fd; }
    static has(stream) { return #fd in stream; }
    static isAsleep(stream) { return stream.#isAsleep; }
    static wake(stream) { stream.#isAsleep = false; }
    static write(stream, bytes) { send(stream.#fd, bytes); }
    static writer(slowWrite) {
      return function write(chunk, encoding, callback) {
        if (typeof chunk === 'string' && encoding === undefined && callback === undefined && chunk.length < LONGEST_SHORT_TEXT && #fd in this && this.#isAsleep) {
          send(this.#fd, chunk);
          return true;
        }
        return apply(slowWrite, this, [chunk, encoding, callback]);
      };
    }
  }

  let shared;
  const prepare = () => {
    const { Writable } = internal.node('stream');
    function WriteStream(fd) {
      if (new.target === undefined) return new WriteStream(fd);
      for (const [name, value] of [['fd', fd], ['_type', 'fs'], ['_isStdio', true]]) ownValue(this, name, value, true);
      new Mark(this, fd);
    }
    setPrototypeOf(WriteStream, Writable);
    WriteStream.prototype = create(Writable.prototype);
    const method = (name, value) => ownValue(WriteStream.prototype, name, value, false);
    method('constructor', WriteStream);
    defineProperty(WriteStream.prototype, '_writableState', {
      get() {
        // The prototype itself, and objects that only inherit from it, have no state.
        if (!Mark.has(this) || !Mark.isAsleep(this)) return undefined;
        apply(Writable, this, [{ autoDestroy: true }]);
        return this._writableState;
      },
      set(value) {
        if (Mark.has(this)) Mark.wake(this);
        ownValue(this, '_writableState', value, false);
      },
      configurable: true,
    });
    const write = Mark.writer(Writable.prototype.write);
    method('write', write);
    method('_write', function (chunk, encoding, callback) {
      Mark.write(this, new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.byteLength));
      callback();
    });
    method('_destroy', destroy);
    method('destroySoon', Writable.prototype.destroy);
    for (const name of ['ref', 'unref']) method(name, function () { return this; });
    method('getColorDepth', () => 1);
    method('hasColors', () => false);
    method('getWindowSize', () => [80, 24]);
    for (const name of ['clearLine', 'clearScreenDown', 'cursorTo', 'moveCursor']) method(name, function (...values) { return internal.builtin('readline')[name](this, ...values); });
    return { WriteStream, write };
  };
  internal.prepareStdio = () => { shared = prepare(); };
  internal.openStdio = (fd) => {
    internal.writeConsole(print);
    return (opened[fd] ??= new shared.WriteStream(fd));
  };

  // Where `console` writes: to the stream, if the program has changed it, which may then refuse or keep the text as in Node.
  const ignore = () => {};
  const print = (fd, text) => {
    const stream = opened[fd];
    if (stream === undefined || (stream.write === shared.write && Mark.isAsleep(stream))) { send(fd, text); return; }
    const noteError = (error) => {
      if (error && !stream._writableState?.errorEmitted && stream.listenerCount('error') === 0) stream.once('error', ignore);
    };
    try {
      if (stream.listenerCount('error') === 0) stream.once('error', ignore);
      stream.write(text, noteError);
    } catch (error) {
      if (internal.node('internal/errors').isStackOverflowError(error)) throw error;
    } finally {
      stream.removeListener('error', ignore);
    }
  };
}
