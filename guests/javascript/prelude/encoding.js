//! `TextEncoder` and `TextDecoder`: how does text become bytes and bytes text?
(native, internal) => {
  const { define, codedError } = internal;
  const labels = {
    'utf-8': ['utf-8', 'utf8', 'unicode-1-1-utf-8', 'unicode11utf8', 'unicode20utf8', 'x-unicode20utf8'],
    'utf-16le': ['utf-16le', 'utf-16', 'ucs-2', 'unicode', 'csunicode', 'iso-10646-ucs-2', 'unicodefeff'],
    'utf-16be': ['utf-16be', 'unicodefffe'],
    'windows-1252': ['latin1', 'ascii', 'us-ascii', 'iso-8859-1', 'iso8859-1', 'iso88591', 'l1', 'windows-1252', 'cp1252', 'x-cp1252', 'ansi_x3.4-1968'],
  };
  const encodingOf = new Map(Object.entries(labels).flatMap(([name, all]) => all.map((label) => [label, name])));
  // What windows-1252 has where Latin-1 has control characters.
  const windows = '€\x81‚ƒ„…†‡ˆ‰Š‹Œ\x8dŽ\x8f\x90‘’“”•–—˜™š›œ\x9džŸ';

  const bytesOf = (source) => {
    if (source === undefined) return new Uint8Array(0);
    if (ArrayBuffer.isView(source)) return new Uint8Array(source.buffer, source.byteOffset, source.byteLength);
    if (native.classOf(source) === 'ArrayBuffer') return new Uint8Array(source);
    throw codedError(TypeError, 'ERR_INVALID_ARG_TYPE', `The argument must be an instance of ArrayBuffer or ArrayBufferView. Received ${internal.received(source)}`);
  };
  const join = (a, b) => {
    if (a.length === 0) return b;
    const all = new Uint8Array(a.length + b.length);
    all.set(a);
    all.set(b, a.length);
    return all;
  };

  class TextEncoder {
    get encoding() { return 'utf-8'; }
    encode(text = '') { return native.encodeUtf8(`${text}`); }
    encodeInto(text, target) {
      let read = 0, written = 0;
      for (const character of `${text}`) {
        const bytes = native.encodeUtf8(character);
        if (written + bytes.length > target.length) break;
        target.set(bytes, written);
        written += bytes.length;
        read += character.length;
      }
      return { read, written };
    }
  }

  // How many bytes at the end begin a sequence that is not complete.
  const unfinishedUtf8 = (bytes) => {
    for (let back = 1; back <= 3 && back <= bytes.length; back++) {
      const byte = bytes[bytes.length - back];
      if (byte >= 0xc2) {
        const size = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2;
        if (byte > 0xf4 || size <= back) return 0;
        const second = bytes[bytes.length - back + 1];
        if (back > 1 && ((byte === 0xe0 && second < 0xa0) || (byte === 0xed && second > 0x9f) || (byte === 0xf0 && second < 0x90) || (byte === 0xf4 && second > 0x8f))) return 0;
        return back;
      }
      if ((byte & 0xc0) !== 0x80) return 0;
    }
    return 0;
  };
  const decodeUtf16 = (bytes, isBig, isFatal, keepsHalves = false) => {
    let text = '';
    const units = [];
    for (let i = 0; i + 1 < bytes.length; i += 2) {
      units.push(isBig ? (bytes[i] << 8) | bytes[i + 1] : bytes[i] | (bytes[i + 1] << 8));
      if (units.length === 4096) { text += String.fromCharCode(...units); units.length = 0; }
    }
    text += String.fromCharCode(...units);
    if (bytes.length % 2) text += '\ud800';
    if (isFatal && !text.isWellFormed()) return null;
    return keepsHalves ? text : text.toWellFormed();
  };
  const decodeLatin1 = (bytes, table) => {
    let text = '';
    for (const byte of bytes) text += table && byte >= 0x80 && byte < 0xa0 ? table[byte - 0x80] : String.fromCharCode(byte);
    return text;
  };

  class TextDecoder {
    #encoding; #fatal; #ignoreBOM; #rest = new Uint8Array(0); #sawStart = false;
    constructor(label = 'utf-8', options = {}) {
      this.#encoding = encodingOf.get(`${label}`.trim().toLowerCase());
      if (this.#encoding === undefined) throw codedError(RangeError, 'ERR_ENCODING_NOT_SUPPORTED', `The "${label}" encoding is not supported`);
      this.#fatal = Boolean(options?.fatal);
      this.#ignoreBOM = Boolean(options?.ignoreBOM);
    }
    get encoding() { return this.#encoding; }
    get fatal() { return this.#fatal; }
    get ignoreBOM() { return this.#ignoreBOM; }
    #textOf(bytes, isLast) {
      if (this.#encoding === 'windows-1252') return decodeLatin1(bytes, windows);
      const isUtf8 = this.#encoding === 'utf-8';
      let left = 0;
      if (!isLast) {
        left = isUtf8 ? unfinishedUtf8(bytes) : bytes.length % 2;
        if (!isUtf8 && bytes.length - left >= 2) {
          const high = bytes[bytes.length - left - (this.#encoding === 'utf-16be' ? 2 : 1)];
          if (high >= 0xd8 && high <= 0xdb) left += 2;
        }
      }
      const whole = bytes.subarray(0, bytes.length - left);
      this.#rest = bytes.slice(bytes.length - left);
      return isUtf8 ? native.decodeUtf8(whole, this.#fatal) : decodeUtf16(whole, this.#encoding === 'utf-16be', this.#fatal);
    }
    decode(source, options = {}) {
      const isLast = !options?.stream;
      const bytes = join(this.#rest, bytesOf(source));
      this.#rest = new Uint8Array(0);
      let text = this.#textOf(bytes, isLast);
      if (text === null) {
        this.#sawStart = false;
        throw codedError(TypeError, 'ERR_ENCODING_INVALID_ENCODED_DATA', `The encoded data was not valid for encoding ${this.#encoding}`);
      }
      if (!this.#sawStart && text !== '') {
        if (!this.#ignoreBOM && text.charCodeAt(0) === 0xfeff && this.#encoding !== 'windows-1252') text = text.slice(1);
        this.#sawStart = true;
      }
      if (isLast) this.#sawStart = false;
      return text;
    }
  }
  for (const Class of [TextEncoder, TextDecoder]) {
    Object.defineProperty(Class.prototype, Symbol.toStringTag, { value: Class.name, configurable: true });
    define(Class.name, Class);
  }
  const shown = (Class, show) => Object.defineProperty(Class.prototype, internal.inspect.custom, { value(depth, options, inspect) { return show(this, (fields) => inspect(fields, options)); }, writable: true, configurable: true });
  shown(TextEncoder, ({ encoding }, inspect) => inspect({ encoding }));
  shown(TextDecoder, ({ encoding, fatal, ignoreBOM }, inspect) => `TextDecoder ${inspect({ encoding, fatal, ignoreBOM })}`);
  Object.assign(internal, { bytesOf, decodeLatin1, decodeUtf16 });
}
