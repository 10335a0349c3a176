//! The binding `zlib` of Node's `lib/zlib.js`: how do its streams reach the compressor? (over `pako`)
(native, internal) => {
  const library = internal.library('zlib');
  const deflate = library['pako/lib/zlib/deflate.js'](), inflate = library['pako/lib/zlib/inflate.js'](), Stream = library['pako/lib/zlib/zstream.js'](), crcOf = library['pako/lib/zlib/crc32.js']();
  const OK = 0, STREAM_END = 1, NEED_DICT = 2, DATA_ERROR = -3, BUF_ERROR = -5, FINISH = 4, DEFLATED = 8;
  const DEFLATE = 1, INFLATE = 2, GZIP = 3, GUNZIP = 4, DEFLATERAW = 5, INFLATERAW = 6, UNZIP = 7;
  const codes = { 2: 'Z_NEED_DICT', [-1]: 'Z_ERRNO', [-2]: 'Z_STREAM_ERROR', [-3]: 'Z_DATA_ERROR', [-4]: 'Z_MEM_ERROR', [-5]: 'Z_BUF_ERROR', [-6]: 'Z_VERSION_ERROR' };
  const plain = (view) => new Uint8Array(view.buffer, view.byteOffset, view.byteLength);

  class Zlib {
    #mode; #stream = new Stream(); #dictionary; #state; #done; #error = OK; #bits; #isStarted = false; #isBusy = false; #isClosing = false; #seen = 0; #level; #memory; #strategy;
    constructor(mode) { this.#mode = mode; this.#bits = 0; }
    init(bits, level, memory, strategy, state, done, dictionary) {
      Object.assign(this, { onerror: this.onerror });
      this.#state = state;
      this.#done = done;
      this.#level = level;
      this.#memory = memory;
      this.#strategy = strategy;
      this.#dictionary = dictionary === undefined ? undefined : plain(ArrayBuffer.isView(dictionary) ? dictionary : new Uint8Array(dictionary));
      const mode = this.#mode;
      this.#bits = mode === GZIP || mode === GUNZIP ? bits + 16 : mode === UNZIP ? bits + 32 : mode === DEFLATERAW || mode === INFLATERAW ? -bits : bits;
    }
    #compresses() { return [DEFLATE, GZIP, DEFLATERAW].includes(this.#mode); }
    // As Node does, not before it is needed: much of what is made is never used.
    #start() {
      if (this.#isStarted) return true;
      this.#isStarted = true;
      this.#error = this.#compresses() ? deflate.deflateInit2(this.#stream, this.#level, DEFLATED, this.#bits === -8 ? -9 : this.#bits === 8 ? 9 : this.#bits, this.#memory, this.#strategy) : inflate.inflateInit2(this.#stream, this.#bits);
      if (this.#error !== OK) { this.#fail('Init error'); return false; }
      return this.#useDictionary();
    }
    #useDictionary() {
      if (this.#dictionary === undefined) return true;
      if (this.#mode === DEFLATE || this.#mode === DEFLATERAW) this.#error = deflate.deflateSetDictionary(this.#stream, this.#dictionary);
      else if (this.#mode === INFLATERAW) this.#error = inflate.inflateSetDictionary(this.#stream, this.#dictionary);
      if (this.#error !== OK) { this.#fail('Failed to set dictionary'); return false; }
      return true;
    }
    #process(flush) {
      const stream = this.#stream;
      if (this.#compresses()) { this.#error = deflate.deflate(stream, flush); return; }
      if (this.#mode === UNZIP && stream.avail_in > 0) {
        // The first two bytes say which format it is.
        let at = stream.next_in;
        if (this.#seen === 0) {
          if (stream.input[at] !== 0x1f) this.#mode = INFLATE;
          else { this.#seen = 1; at++; if (stream.avail_in === 1) at = -1; }
        }
        if (this.#mode === UNZIP && this.#seen === 1 && at >= 0) { this.#seen = 2; this.#mode = stream.input[at] === 0x8b ? GUNZIP : INFLATE; }
      }
      this.#error = inflate.inflate(stream, flush);
      if (this.#mode !== INFLATERAW && this.#error === NEED_DICT && this.#dictionary !== undefined) {
        this.#error = inflate.inflateSetDictionary(stream, this.#dictionary);
        if (this.#error === OK) this.#error = inflate.inflate(stream, flush);
        // A bad dictionary, not bad input.
        else if (this.#error === DATA_ERROR) this.#error = NEED_DICT;
      }
      // Another member of the same archive; bytes of zero only fill up.
      while (stream.avail_in > 0 && this.#mode === GUNZIP && this.#error === STREAM_END && stream.input[stream.next_in] !== 0) {
        inflate.inflateReset(stream);
        this.#error = inflate.inflate(stream, flush);
      }
    }
    #isFine(flush) {
      switch (this.#error) {
        case OK: case BUF_ERROR:
          if (this.#stream.avail_out !== 0 && flush === FINISH) { this.#error = BUF_ERROR; this.#stream.msg = ''; this.#fail('unexpected end of file'); return false; }
          return true;
        case STREAM_END: return true;
        case NEED_DICT: this.#stream.msg = ''; this.#fail(this.#dictionary === undefined ? 'Missing dictionary' : 'Bad dictionary'); return false;
        default: this.#fail('Zlib error'); return false;
      }
    }
    #fail(text) {
      this.#isBusy = false;
      this.onerror(this.#stream.msg || text, this.#error, codes[this.#error] ?? 'Z_ERRNO');
    }
    #set(flush, input, inOffset, inLength, output, outOffset, outLength) {
      const stream = this.#stream;
      stream.input = input ? plain(input) : new Uint8Array(0);
      stream.next_in = input ? inOffset : 0;
      stream.avail_in = input ? inLength : 0;
      stream.output = plain(output);
      stream.next_out = outOffset;
      stream.avail_out = outLength;
    }
    #finish() { this.#state[0] = this.#stream.avail_out; this.#state[1] = this.#stream.avail_in; }
    writeSync(flush, ...parts) {
      if (!this.#start()) return;
      this.#set(flush, ...parts);
      this.#process(flush);
      if (this.#isFine(flush)) this.#finish();
    }
    write(flush, ...parts) {
      this.#isBusy = true;
      globalThis.setImmediate(() => {
        if (this.#isClosing) { this.#isBusy = false; this.close(); return; }
        if (!this.#start()) return;
        this.#set(flush, ...parts);
        this.#process(flush);
        if (!this.#isFine(flush)) return;
        this.#finish();
        this.#isBusy = false;
        this.#done.call(this);
        if (this.#isClosing) this.close();
      });
    }
    params(level, strategy) {
      this.#level = level;
      this.#strategy = strategy;
      if (!this.#isStarted) return;
      // The library has no `deflateParams`: what came so far ends in a block of its own, see `lib/zlib.js`.
      const { state } = this.#stream;
      if (state) { state.level = level; state.strategy = strategy; }
    }
    reset() {
      if (!this.#isStarted) return;
      this.#error = this.#compresses() ? deflate.deflateReset(this.#stream) : inflate.inflateReset(this.#stream);
      if (this.#error !== OK) this.#fail('Failed to reset stream');
      else this.#useDictionary();
    }
    close() {
      if (this.#isBusy) { this.#isClosing = true; return; }
      this.#isClosing = false;
      if (this.#isStarted) (this.#compresses() ? deflate.deflateEnd : inflate.inflateEnd)(this.#stream);
    }
    getAsyncId() { return 1; }
    _setAsyncBuffer() {}
  }
  const absent = (name) => class { constructor() { throw internal.codedError(Error, 'ERR_FEATURE_UNAVAILABLE_ON_PLATFORM', `${name} is not in the sandbox; gzip and deflate are`); } };
  return {
    Zlib, BrotliEncoder: absent('Brotli'), BrotliDecoder: absent('Brotli'), ZstdCompress: absent('Zstandard'), ZstdDecompress: absent('Zstandard'),
    crc32: (data, start = 0) => { const bytes = typeof data === 'string' ? native.encodeUtf8(data) : plain(data); return crcOf(start, bytes, bytes.length, 0) >>> 0; },
  };
}
