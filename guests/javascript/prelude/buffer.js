//! `Buffer`: what do Node's `lib/buffer.js` and `lib/internal/buffer.js` ask C++ for?
(native, internal) => {
  const { codedError, decodeLatin1, decodeUtf16 } = internal;
  const names = { utf8: 'utf8', 'utf-8': 'utf8', hex: 'hex', base64: 'base64', base64url: 'base64url', latin1: 'latin1', binary: 'latin1', ascii: 'ascii', utf16le: 'utf16le', 'utf-16le': 'utf16le', ucs2: 'utf16le', 'ucs-2': 'utf16le' };
  // As `encodings` of the binding `string_decoder` numbers them.
  const numbered = ['ascii', 'utf8', 'base64', 'utf16le', 'latin1', 'hex', 'latin1', 'base64url'];
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
    const end = text.indexOf('=');
    const clean = (end < 0 ? text : text.slice(0, end)).replace(/-/g, '+').replace(/_/g, '/').replace(/[^A-Za-z0-9+/]/g, '');
    const whole = clean.length % 4 === 1 ? clean.slice(0, -1) : clean;
    return Uint8Array.fromBase64(whole, { lastChunkHandling: 'loose' });
  };
  const encodeAs = (text, name) => {
    switch (name) {
      case 'hex': return Uint8Array.fromHex(/^(?:[0-9a-fA-F]{2})*/.exec(text)[0]);
      case 'base64': case 'base64url': return fromBase64(text);
      case 'latin1': case 'ascii': return fromCodes(text, 1);
      case 'utf16le': return fromCodes(text, 2);
      default: return native.encodeUtf8(text);
    }
  };
  const encode = (text, encoding) => encodeAs(text, encodingName(encoding));
  const plain = (bytes) => new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const decodeAs = (bytes, name) => {
    switch (name) {
      case 'hex': return bytes.toHex();
      case 'base64': return bytes.toBase64();
      case 'base64url': return bytes.toBase64({ alphabet: 'base64url', omitPadding: true });
      case 'latin1': return decodeLatin1(bytes);
      case 'ascii': return decodeLatin1(bytes.map((byte) => byte & 0x7f));
      case 'utf16le': return decodeUtf16(bytes.subarray(0, bytes.length & ~1), false, false, true);
      default: return native.decodeUtf8(bytes, false);
    }
  };
  const decode = (bytes, encoding) => decodeAs(plain(bytes), encodingName(encoding));

  const outside = (what) => codedError(RangeError, what === undefined ? 'ERR_OUT_OF_RANGE' : 'ERR_BUFFER_OUT_OF_BOUNDS', what === undefined ? 'Index out of range' : `"${what}" is outside of buffer bounds`);
  const sliceAs = (name) => function (start = 0, end = this.length) {
    const bytes = plain(this);
    start = Math.trunc(Number(start)) || 0;
    end = end === undefined ? bytes.length : Math.trunc(Number(end)) || 0;
    if (start < 0 || end < 0 || start > bytes.length) throw outside();
    return decodeAs(bytes.subarray(start, Math.max(start, Math.min(end, bytes.length))), name);
  };
  const tooLong = () => codedError(TypeError, 'ERR_INVALID_ARG_TYPE', 'argument must be a string');
  // Writes whole characters only.
  const put = (target, text, offset, length, name) => {
    if (typeof text !== 'string') throw tooLong();
    const bytes = plain(target);
    const most = Math.min(length ?? Infinity, bytes.length - offset);
    let data = encodeAs(name === 'utf8' && text.length > most ? text.slice(0, most) : text, name);
    if (data.length > most) {
      let end = most;
      if (name === 'utf16le') end &= ~1;
      else if (name === 'utf8') while (end > 0 && (data[end] & 0xc0) === 0x80) end--;
      data = data.subarray(0, end);
    }
    bytes.set(data, offset);
    return data.length;
  };
  const writeAs = (name) => function (text, offset = 0, length = undefined) {
    if (offset > this.length) throw outside('offset');
    return put(this, text, offset, length, name);
  };
  const writeStatic = (name) => (target, text, offset, length) => put(target, text, offset, length, name);

  const compareBytes = (a, b) => {
    const length = Math.min(a.length, b.length);
    for (let i = 0; i < length; i++) if (a[i] !== b[i]) return a[i] < b[i] ? -1 : 1;
    return Math.sign(a.length - b.length);
  };
  // Where `part` is in `bytes`; `step` is 2 where characters have two bytes.
  const find = (bytes, part, offset, isForward, step = 1) => {
    if (part.length === 0) return offset < 0 ? Math.max(bytes.length + offset, 0) : Math.min(offset, bytes.length);
    let at = offset < 0 ? bytes.length + offset : offset;
    if (at < 0) { if (!isForward) return -1; at = 0; }
    const last = bytes.length - part.length;
    if (last < 0) return -1;
    if (step === 2 && (part.length < 2 || bytes.length < 2)) return -1;
    const isThere = (place) => { for (let j = 0; j < part.length; j++) if (bytes[place + j] !== part[j]) return false; return true; };
    if (isForward) {
      for (let place = at; place <= last; place++) {
        place = bytes.indexOf(part[0], place);
        if (place < 0 || place > last) return -1;
        if ((step === 1 || (place - (bytes.length % 1)) % step === 0) && isThere(place)) return place;
      }
      return -1;
    }
    for (let place = Math.min(at, last); place >= 0; place--) if (place % step === 0 && isThere(place)) return place;
    return -1;
  };
  const swap = (size) => (target) => {
    const bytes = plain(target);
    for (let at = 0; at + size <= bytes.length; at += size) bytes.subarray(at, at + size).reverse();
    return target;
  };
  const attached = (source) => {
    if ((source.buffer ?? source).detached) throw codedError(Error, 'ERR_INVALID_STATE', 'Invalid state: Cannot validate on a detached buffer');
    return internal.bytesOf(source);
  };
  internal.bufferBinding = {
    kMaxLength: 9007199254740991, kStringMaxLength: 1073741823, setBufferPrototype() {}, getZeroFillToggle: () => undefined, createUnsafeArrayBuffer: (size) => new ArrayBuffer(size),
    byteLengthUtf8: (text) => {
      // A long text is measured faster by the engine.
      if (text.length > 16) return native.encodeUtf8(text).length;
      let size = 0;
      for (let i = 0; i < text.length; i++) {
        const code = text.charCodeAt(i);
        if (code < 0x80) size++;
        else if (code < 0x800) size += 2;
        else if (code >= 0xd800 && code < 0xdc00 && (text.charCodeAt(i + 1) & 0xfc00) === 0xdc00) { size += 4; i++; } else size += 3;
      }
      return size;
    },
    compare: (a, b) => compareBytes(plain(a), plain(b)),
    compareOffset(source, target, targetStart, sourceStart, targetLength, sourceLength) {
      if (sourceStart > source.byteLength) throw codedError(RangeError, 'ERR_OUT_OF_RANGE', 'The value of "sourceStart" is out of range.');
      if (targetStart > target.byteLength) throw codedError(RangeError, 'ERR_OUT_OF_RANGE', 'The value of "targetStart" is out of range.');
      return compareBytes(plain(source).subarray(sourceStart, sourceStart + sourceLength), plain(target).subarray(targetStart, targetStart + targetLength));
    },
    copy(source, target, at, start, count) { plain(target).set(plain(source).subarray(start, start + count), at); return count; },
    copyArrayBuffer(target, at, source, start, count) { new Uint8Array(target, at, count).set(new Uint8Array(source, start, count)); },
    fill(target, value, start, end, encoding) {
      const bytes = plain(target);
      if (start < 0 || end > bytes.length) return -2;
      if (start >= end) return undefined;
      if (typeof value === 'number' || typeof value === 'boolean') { bytes.fill(Number(value) & 255, start, end); return undefined; }
      const part = typeof value === 'string' ? encode(value, encoding) : ArrayBuffer.isView(value) ? plain(value) : undefined;
      if (part === undefined) { bytes.fill(Number(value) & 255, start, end); return undefined; }
      if (part.length === 0) return -1;
      for (let at = start; at < end; at += part.length) bytes.set(part.subarray(0, end - at), at);
      return undefined;
    },
    indexOfString: (target, text, offset, encoding, isForward) => find(plain(target), encodeAs(text, numbered[encoding]), offset, isForward, numbered[encoding] === 'utf16le' ? 2 : 1),
    indexOfBuffer: (target, part, offset, encoding, isForward) => find(plain(target), plain(part), offset, isForward, numbered[encoding] === 'utf16le' ? 2 : 1),
    indexOfNumber: (target, value, offset, isForward) => find(plain(target), [value & 255], offset, isForward),
    isAscii: (source) => attached(source).every((byte) => byte < 128), isUtf8: (source) => native.decodeUtf8(attached(source), true) !== null,
    swap16: swap(2), swap32: swap(4), swap64: swap(8),
    atob(text) { try { return atob(text); } catch { return -2; } },
    btoa(text) { try { return btoa(text); } catch { return -1; } },
    asciiWriteStatic: writeStatic('ascii'), latin1WriteStatic: writeStatic('latin1'), utf8WriteStatic: writeStatic('utf8'),
    getBufferedBytes: () => 0,
  };
  for (const [method, name] of [['ascii', 'ascii'], ['base64', 'base64'], ['base64url', 'base64url'], ['latin1', 'latin1'], ['hex', 'hex'], ['ucs2', 'utf16le'], ['utf8', 'utf8']]) {
    internal.bufferBinding[`${method}Slice`] = sliceAs(name);
    internal.bufferBinding[`${method}Write`] = writeAs(name);
  }
  const { Buffer } = internal.node('buffer');
  const { FastBuffer } = internal.node('internal/buffer');
  internal.define('Buffer', Buffer);
  const toBuffer = (bytes) => new FastBuffer(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  Object.assign(internal, { toBuffer, encodeText: encode, decodeText: decode, checkEncoding: encodingName });
}
