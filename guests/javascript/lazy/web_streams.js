//! Web streams: `ReadableStream` and its relatives, over the library `web-streams-polyfill`.
(native, internal) => {
  const { codedError } = internal;
  const library = internal.library('web_streams')['web-streams-polyfill']();
  const { ReadableStream, WritableStream, TransformStream } = library;
  const classes = {};
  for (const [name, Class] of Object.entries(library)) if (typeof Class === 'function') classes[name] = Class;

  const stateOf = (stream) => stream._state;
  const shown = (Class, fieldsOf) => Object.defineProperty(Class.prototype, internal.inspect.custom, {
    value(depth, options, inspect) { return `${this.constructor?.name ?? Class.name} ${inspect(fieldsOf(this), options)}`; },
    writable: true, configurable: true,
  });
  const isOfBytes = (stream) => stream._readableStreamController instanceof library.ReadableByteStreamController;
  shown(ReadableStream, (stream) => ({ locked: stream.locked, state: stateOf(stream), supportsBYOB: isOfBytes(stream) }));
  shown(WritableStream, (stream) => ({ locked: stream.locked, state: stateOf(stream) }));
  shown(TransformStream, (stream) => ({ readable: stream.readable, writable: stream.writable, backpressure: stream._backpressure }));

  const streamOf = (chunks) => new ReadableStream({
    type: 'bytes',
    start(controller) {
      for (const chunk of chunks) if (chunk.length > 0) controller.enqueue(chunk.slice());
      controller.close();
    },
  });
  const chunkBytes = (chunk) => {
    if (!internal.isBuffer(chunk)) throw codedError(TypeError, 'ERR_INVALID_ARG_TYPE', `The "chunk" argument must be an instance of Buffer, TypedArray, or DataView. Received ${internal.received(chunk)}`);
    return internal.bytesOf(chunk);
  };
  const bytesOfStream = async (stream) => {
    const reader = stream.getReader(), chunks = [];
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return internal.joinBytes(chunks);
      if (!(value instanceof Uint8Array)) {
        const error = new TypeError('Received non-Uint8Array chunk');
        reader.cancel(error).catch(() => {});
        throw error;
      }
      chunks.push(value);
    }
  };

  // A class whose objects have both ends of a transform.
  const pairClass = (name, make, describe = () => ({})) => {
    const Class = { [name]: class {
      #transform; #about;
      constructor(...values) {
        [this.#transform, this.#about] = make(...values);
        for (const [key, value] of Object.entries(this.#about)) Object.defineProperty(this, key, { value, enumerable: false });
      }
      get readable() { return this.#transform.readable; }
      get writable() { return this.#transform.writable; }
      [internal.inspect.custom](depth, options, inspect) {
        return `${name} ${inspect({ ...describe(this.#about), readable: this.readable, writable: this.writable }, options)}`;
      }
    } }[name];
    Object.defineProperty(Class.prototype, Symbol.toStringTag, { value: name, configurable: true });
    classes[name] = Class;
  };
  pairClass('TextEncoderStream', () => {
    let high = '';
    return [new TransformStream({
      transform(chunk, controller) {
        let text = high + `${chunk}`;
        // A pair may lie in two chunks.
        high = /[\ud800-\udbff]$/.test(text) ? text.at(-1) : '';
        if (high !== '') text = text.slice(0, -1);
        if (text !== '') controller.enqueue(native.encodeUtf8(text.toWellFormed()));
      },
      flush(controller) { if (high !== '') controller.enqueue(native.encodeUtf8('\ufffd')); },
    }), { encoding: 'utf-8' }];
  }, ({ encoding }) => ({ encoding }));
  pairClass('TextDecoderStream', (label = 'utf-8', options = {}) => {
    const decoder = new TextDecoder(label, options);
    return [new TransformStream({
      transform(chunk, controller) {
        const text = decoder.decode(chunk, { stream: true });
        if (text !== '') controller.enqueue(text);
      },
      flush(controller) {
        const text = decoder.decode();
        if (text !== '') controller.enqueue(text);
      },
    }), { encoding: decoder.encoding, fatal: decoder.fatal, ignoreBOM: decoder.ignoreBOM }];
  }, (about) => about);

  const formats = { gzip: ['Gzip', 'Gunzip'], deflate: ['Deflate', 'Inflate'], 'deflate-raw': ['DeflateRaw', 'InflateRaw'] };
  const compressing = (name, side) => pairClass(name, (format) => {
    if (!Object.hasOwn(formats, format)) {
      throw codedError(TypeError, 'ERR_INVALID_ARG_VALUE', `The argument 'format' must be one of: 'deflate', 'deflate-raw', 'gzip'. Received ${internal.inspect(format)}`);
    }
    const { engineFor, feed, end } = internal.lazy('zlib_engine');
    const kind = formats[format][side];
    let controller, isDone = false;
    const take = (part) => { if (part.length > 0) controller.enqueue(new Uint8Array(part)); };
    const attempt = (step) => {
      try { step(); } catch (error) { throw Object.assign(new TypeError(error.message), { code: error.code, cause: error }); }
    };
    const engine = engineFor(kind, {}, take);
    return [new TransformStream({
      start(given) { controller = given; },
      transform(chunk) {
        const bytes = chunkBytes(chunk);
        attempt(() => {
          if (isDone && bytes.length > 0) throw codedError(Error, 'ERR_TRAILING_JUNK_AFTER_STREAM_END', 'Trailing junk found after the end of the compressed stream');
          feed(engine, bytes, 0);
          isDone ||= engine.ended && side === 1;
        });
      },
      flush() { attempt(() => end(kind, engine, {}, take)); },
    }), {}];
  });
  compressing('CompressionStream', 0);
  compressing('DecompressionStream', 1);
  return { classes, streamOf, bytesOfStream };
}
