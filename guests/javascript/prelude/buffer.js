//! `node:buffer`: what can a `Buffer` do? (the part that programs use)
(native, internal) => {
  const { codedError, bytesOf, decodeLatin1, decodeUtf16 } = internal;
  const names = { utf8: 'utf8', 'utf-8': 'utf8', hex: 'hex', base64: 'base64', base64url: 'base64url', latin1: 'latin1', binary: 'latin1', ascii: 'ascii', utf16le: 'utf16le', 'utf-16le': 'utf16le', ucs2: 'utf16le', 'ucs-2': 'utf16le' };
  const encodingName = (encoding = 'utf8') => {
    const name = names[`${encoding}`.toLowerCase()];
    if (name === undefined) throw codedError(TypeError, 'ERR_UNKNOWN_ENCODING', `Unknown encoding: ${encoding}`);
    return name;
  };
  const fromCodes = (text, size) => {
    const bytes = new Uint8Array(text.length * size);
    for (let i = 0; i < text.length; i++) {
      const code = text.charCodeAt(i);
      bytes[i * size] = code;
      if (size === 2) bytes[i * 2 + 1] = code >> 8;
    }
    return bytes;
  };
  const fromBase64 = (text) => {
    const clean = text.replace(/-/g, '+').replace(/_/g, '/').replace(/[^A-Za-z0-9+/]/g, '');
    const whole = clean.length % 4 === 1 ? clean.slice(0, -1) : clean;
    return Uint8Array.fromBase64(whole, { lastChunkHandling: 'loose' });
  };
  const encode = (text, encoding) => {
    switch (encodingName(encoding)) {
      case 'hex': return Uint8Array.fromHex(/^(?:[0-9a-fA-F]{2})*/.exec(text)[0]);
      case 'base64': case 'base64url': return fromBase64(text);
      case 'latin1': case 'ascii': return fromCodes(text, 1);
      case 'utf16le': return fromCodes(text, 2);
      default: return native.encodeUtf8(text);
    }
  };
  const sizeOf = (size) => {
    if (typeof size !== 'number') throw codedError(TypeError, 'ERR_INVALID_ARG_TYPE', `The "size" argument must be of type number. Received ${internal.received(size)}`);
    if (!(size >= 0 && size <= Number.MAX_SAFE_INTEGER)) throw codedError(RangeError, 'ERR_OUT_OF_RANGE', `The value of "size" is out of range. It must be >= 0 && <= ${Number.MAX_SAFE_INTEGER}. Received ${size}`);
    return size;
  };
  const plain = (bytes) => new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const decode = (bytes, encoding) => {
    switch (encodingName(encoding)) {
      case 'hex': return plain(bytes).toHex();
      case 'base64': return plain(bytes).toBase64();
      case 'base64url': return plain(bytes).toBase64({ alphabet: 'base64url', omitPadding: true });
      case 'latin1': return decodeLatin1(bytes);
      case 'ascii': return decodeLatin1(bytes.map((byte) => byte & 0x7f));
      case 'utf16le': return decodeUtf16(bytes.subarray(0, bytes.length & ~1), false, false, true);
      default: return native.decodeUtf8(plain(bytes), false);
    }
  };

  class Buffer extends Uint8Array {
    static from(value, encodingOrOffset, length) {
      if (typeof value === 'string') return toBuffer(encode(value, encodingOrOffset));
      if (native.classOf(value) === 'ArrayBuffer') return new Buffer(value, encodingOrOffset, length);
      if (ArrayBuffer.isView(value)) return toBuffer(Uint8Array.from(value));
      if (value !== null && typeof value === 'object') {
        if (value.type === 'Buffer' && Array.isArray(value.data)) return toBuffer(Uint8Array.from(value.data));
        const primitive = value.valueOf?.();
        if (primitive !== value && primitive !== undefined && primitive !== null) return Buffer.from(primitive, encodingOrOffset, length);
        if (typeof value.length === 'number' || value[Symbol.iterator]) return toBuffer(Uint8Array.from(value));
      }
      throw codedError(TypeError, 'ERR_INVALID_ARG_TYPE', `The first argument must be of type string or an instance of Buffer, ArrayBuffer, or Array or an Array-like Object. Received ${internal.received(value)}`);
    }
    static alloc(size, fill, encoding) {
      const buffer = new Buffer(sizeOf(size));
      return fill === undefined ? buffer : buffer.fill(fill, encoding);
    }
    static allocUnsafe(size) { return new Buffer(sizeOf(size)); }
    static allocUnsafeSlow(size) { return new Buffer(sizeOf(size)); }
    static isBuffer(value) { return value instanceof Buffer; }
    static isEncoding(name) { return `${name}`.toLowerCase() in names; }
    static byteLength(value, encoding) { return typeof value === 'string' ? encode(value, encoding).length : value.byteLength; }
    static concat(list, total = list.reduce((size, part) => size + part.length, 0)) {
      const all = new Buffer(total);
      let at = 0;
      for (const part of list) {
        if (at >= total) break;
        all.set(part.subarray(0, total - at), at);
        at += part.length;
      }
      return all;
    }
    static compare(a, b) {
      const length = Math.min(a.length, b.length);
      for (let i = 0; i < length; i++) if (a[i] !== b[i]) return a[i] < b[i] ? -1 : 1;
      return Math.sign(a.length - b.length);
    }
    toString(encoding, start = 0, end = this.length) { return decode(this.subarray(start, end), encoding); }
    toJSON() { return { type: 'Buffer', data: Array.from(this) }; }
    equals(other) { return Buffer.compare(this, other) === 0; }
    compare(other) { return Buffer.compare(this, other); }
    slice(start, end) { return this.subarray(start, end); }
    copy(target, at = 0, start = 0, end = this.length) {
      const part = this.subarray(start, Math.min(end, start + target.length - at));
      target.set(part, at);
      return part.length;
    }
    write(text, offset = 0, length = this.length - offset, encoding = 'utf8') {
      if (typeof offset === 'string') [offset, length, encoding] = [0, this.length, offset];
      else if (typeof length === 'string') [length, encoding] = [this.length - offset, length];
      const bytes = encode(text, encoding).subarray(0, Math.min(length, this.length - offset));
      this.set(bytes, offset);
      return bytes.length;
    }
    fill(value, start = 0, end = this.length, encoding = 'utf8') {
      if (typeof start === 'string') [start, end, encoding] = [0, this.length, start];
      if (typeof value === 'number') return super.fill(value, start, end);
      const bytes = typeof value === 'string' ? encode(value, encoding) : value;
      if (bytes.length === 0) return super.fill(0, start, end);
      for (let i = start; i < end; i++) this[i] = bytes[(i - start) % bytes.length];
      return this;
    }
    indexOf(value, from = 0, encoding) {
      if (typeof value === 'number') return super.indexOf(value, from);
      const bytes = typeof value === 'string' ? encode(value, encoding) : value;
      for (let i = from < 0 ? Math.max(0, this.length + from) : from; i + bytes.length <= this.length; i++) {
        let j = 0;
        while (j < bytes.length && this[i + j] === bytes[j]) j++;
        if (j === bytes.length) return i;
      }
      return -1;
    }
    lastIndexOf(value, from = this.length, encoding) {
      if (typeof value === 'number') return super.lastIndexOf(value, from);
      const bytes = typeof value === 'string' ? encode(value, encoding) : value;
      for (let i = Math.min(from < 0 ? this.length + from : from, this.length - bytes.length); i >= 0; i--) {
        let j = 0;
        while (j < bytes.length && this[i + j] === bytes[j]) j++;
        if (j === bytes.length) return i;
      }
      return -1;
    }
    includes(value, from, encoding) { return this.indexOf(value, from, encoding) !== -1; }
    [internal.inspect.custom]() {
      const shown = Array.from(this.subarray(0, 50), (byte) => byte.toString(16).padStart(2, '0')).join(' ');
      const left = this.length - 50;
      return `<Buffer ${shown}${left > 0 ? ` ... ${left} more byte${left > 1 ? 's' : ''}` : ''}>`;
    }
  }
  const toBuffer = (bytes) => new Buffer(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const view = (buffer) => new DataView(buffer.buffer, buffer.byteOffset, buffer.byteLength);
  const outside = (offset, most) => codedError(RangeError, 'ERR_OUT_OF_RANGE', `The value of "offset" is out of range. It must be >= 0 and <= ${most}. Received ${offset}`);
  for (const [name, method, size] of [['UInt8', 'Uint8', 1], ['Int8', 'Int8', 1], ['UInt16', 'Uint16', 2], ['Int16', 'Int16', 2], ['UInt32', 'Uint32', 4], ['Int32', 'Int32', 4], ['BigUInt64', 'BigUint64', 8], ['BigInt64', 'BigInt64', 8], ['Float', 'Float32', 4], ['Double', 'Float64', 8]]) {
    for (const order of size === 1 ? [''] : ['LE', 'BE']) {
      const check = (buffer, offset) => { if (!(offset >= 0 && offset + size <= buffer.length)) throw buffer.length < size ? codedError(RangeError, 'ERR_BUFFER_OUT_OF_BOUNDS', 'Attempt to access memory outside buffer bounds') : outside(offset, buffer.length - size); };
      const methods = {
        [`read${name}${order}`](offset = 0) { check(this, offset); return view(this)[`get${method}`](offset, order === 'LE'); },
        [`write${name}${order}`](value, offset = 0) { check(this, offset); view(this)[`set${method}`](offset, value, order === 'LE'); return offset + size; },
      };
      for (const [key, value] of Object.entries(methods)) {
        Object.defineProperty(Buffer.prototype, key, { value, writable: true, configurable: true });
        if (key.includes('UInt')) Object.defineProperty(Buffer.prototype, key.replace('UInt', 'Uint'), { value, writable: true, configurable: true });
      }
    }
  }
  // Numbers of one to six bytes.
  const needSize = (size) => { if (!(Number.isInteger(size) && size >= 1 && size <= 6)) throw codedError(RangeError, 'ERR_OUT_OF_RANGE', `The value of "byteLength" is out of range. It must be >= 1 and <= 6. Received ${size}`); };
  for (const order of ['LE', 'BE']) {
    const places = (size) => Array.from({ length: size }, (_, at) => (order === 'LE' ? size - 1 - at : at));
    const methods = {
      [`readUInt${order}`](offset, size) {
        needSize(size);
        if (!(offset >= 0 && offset + size <= this.length)) throw outside(offset, this.length - size);
        return places(size).reduce((value, at) => value * 256 + this[offset + at], 0);
      },
      [`readInt${order}`](offset, size) {
        const value = this[`readUInt${order}`](offset, size);
        return value >= 2 ** (8 * size - 1) ? value - 2 ** (8 * size) : value;
      },
      [`writeUInt${order}`](value, offset, size) {
        needSize(size);
        if (!(offset >= 0 && offset + size <= this.length)) throw outside(offset, this.length - size);
        for (const at of places(size).reverse()) { this[offset + at] = value % 256; value = Math.floor(value / 256); }
        return offset + size;
      },
      [`writeInt${order}`](value, offset, size) { return this[`writeUInt${order}`](value < 0 ? value + 2 ** (8 * size) : value, offset, size); },
    };
    for (const [key, value] of Object.entries(methods)) {
      Object.defineProperty(Buffer.prototype, key, { value, writable: true, configurable: true });
      if (key.includes('UInt')) Object.defineProperty(Buffer.prototype, key.replace('UInt', 'Uint'), { value, writable: true, configurable: true });
    }
  }
  for (const size of [2, 4, 8]) {
    Object.defineProperty(Buffer.prototype, `swap${size * 8}`, {
      value() {
        if (this.length % size !== 0) throw codedError(RangeError, 'ERR_INVALID_BUFFER_SIZE', `Buffer size must be a multiple of ${size * 8}-bits`);
        for (let at = 0; at < this.length; at += size) this.subarray(at, at + size).reverse();
        return this;
      },
      writable: true, configurable: true,
    });
  }
  Buffer.poolSize = 8192;
  // Packages copy them in a `for` loop.
  for (const key of Object.getOwnPropertyNames(Buffer)) if (typeof Buffer[key] === 'function') Object.defineProperty(Buffer, key, { enumerable: true });
  internal.define('Buffer', Buffer);
  Object.assign(internal, { toBuffer, encodeText: encode, decodeText: decode, checkEncoding: encodingName });
  internal.builtins['buffer'] = () => ({ Buffer, SlowBuffer: Buffer, Blob, File, atob, btoa, isUtf8: (bytes) => native.decodeUtf8(plain(bytes), true) !== null, isAscii: (bytes) => plain(bytes).every((byte) => byte < 128), constants: { MAX_LENGTH: 2147483647, MAX_STRING_LENGTH: 1073741823 }, kMaxLength: 2147483647 });
}
