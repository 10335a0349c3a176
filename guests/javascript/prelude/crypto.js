//! `crypto` and `performance`: where do random numbers and times come from?
(native, internal) => {
  const { define } = internal;
  const QUOTA = 65536;
  const integerViews = ['Int8Array', 'Uint8Array', 'Uint8ClampedArray', 'Int16Array', 'Uint16Array', 'Int32Array', 'Uint32Array', 'BigInt64Array', 'BigUint64Array'];
  const hex = (bytes) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');

  class Crypto {
    getRandomValues(view) {
      if (!ArrayBuffer.isView(view) || !integerViews.includes(view[Symbol.toStringTag])) {
        throw new DOMException('The data argument must be an integer-type TypedArray', 'TypeMismatchError');
      }
      if (view.byteLength > QUOTA) {
        throw new DOMException(`The requested length exceeds ${QUOTA} bytes`, 'QuotaExceededError');
      }
      new Uint8Array(view.buffer, view.byteOffset, view.byteLength).set(native.randomBytes(view.byteLength));
      return view;
    }
    randomUUID() {
      const bytes = native.randomBytes(16);
      bytes[6] = (bytes[6] & 0x0f) | 0x40;
      bytes[8] = (bytes[8] & 0x3f) | 0x80;
      const text = hex(bytes);
      return `${text.slice(0, 8)}-${text.slice(8, 12)}-${text.slice(12, 16)}-${text.slice(16, 20)}-${text.slice(20)}`;
    }
  }
  Object.defineProperty(Crypto.prototype, Symbol.toStringTag, { value: 'Crypto', configurable: true });
  define('Crypto', Crypto);
  const crypto = new Crypto();
  define('crypto', crypto);

  const marks = [];
  const performance = {
    now: native.performanceNow,
    mark(name) { const entry = { name: `${name}`, entryType: 'mark', startTime: performance.now(), duration: 0, detail: null }; marks.push(entry); return entry; },
    measure(name, from, to) {
      const at = (mark, otherwise) => (mark === undefined ? otherwise : marks.findLast((entry) => entry.name === mark)?.startTime ?? otherwise);
      const startTime = at(from, 0);
      const entry = { name: `${name}`, entryType: 'measure', startTime, duration: at(to, performance.now()) - startTime, detail: null };
      marks.push(entry);
      return entry;
    },
    getEntries: () => [...marks],
    getEntriesByName: (name) => marks.filter((entry) => entry.name === name),
    getEntriesByType: (type) => marks.filter((entry) => entry.entryType === type),
    clearMarks() { marks.length = 0; },
    clearMeasures() {},
    toJSON() { return { timeOrigin: performance.timeOrigin }; },
  };
  Object.defineProperty(performance, 'timeOrigin', { get: native.timeOrigin, enumerable: true, configurable: true });
  Object.defineProperty(performance, Symbol.toStringTag, { value: 'Performance', configurable: true });
  define('performance', performance);

  const kinds = ['md5', 'sha1', 'sha224', 'sha256', 'sha384', 'sha512'];
  const kindOf = (name) => {
    const kind = kinds.indexOf(`${name}`.toLowerCase().replace(/^sha-/, 'sha'));
    if (kind < 0) throw internal.codedError(Error, 'ERR_OSSL_EVP_UNSUPPORTED', `Digest method not supported: ${name}`);
    return kind;
  };
  const bytesFrom = (data, encoding) => {
    const bytes = typeof data === 'string' ? internal.encodeText(data, encoding) : internal.bytesOf(data);
    return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  };
  const digestOf = (kind, ...parts) => {
    const state = native.startHash(kind);
    for (const part of parts) native.feedHash(state, part);
    return native.endHash(state);
  };
  const shaped = (bytes, encoding) => (encoding === undefined || encoding === 'buffer' ? internal.toBuffer(bytes) : internal.decodeText(bytes, encoding));

  class Hash {
    #kind; #state;
    constructor(kind, state = native.startHash(kind)) { this.#kind = kind; this.#state = state; }
    update(data, encoding) {
      if (this.#state === null) throw internal.codedError(Error, 'ERR_CRYPTO_HASH_FINALIZED', 'Digest already called');
      native.feedHash(this.#state, bytesFrom(data, encoding));
      return this;
    }
    digest(encoding) {
      if (this.#state === null) throw internal.codedError(Error, 'ERR_CRYPTO_HASH_FINALIZED', 'Digest already called');
      const digest = native.endHash(this.#state);
      this.#state = null;
      return shaped(digest, encoding);
    }
    copy() { return new Hash(this.#kind, this.#state.slice()); }
  }
  const padded = (kind, key) => {
    const size = kind >= 4 ? 128 : 64;
    const block = new Uint8Array(size);
    block.set(key.length > size ? digestOf(kind, key) : key);
    return block;
  };
  const hmac = (kind, key, ...parts) => {
    const block = padded(kind, key);
    return digestOf(kind, block.map((byte) => byte ^ 0x5c), digestOf(kind, block.map((byte) => byte ^ 0x36), ...parts));
  };
  class Hmac {
    #kind; #key; #parts = [];
    constructor(kind, key) { this.#kind = kind; this.#key = key; }
    update(data, encoding) { this.#parts.push(bytesFrom(data, encoding).slice()); return this; }
    digest(encoding) { return shaped(hmac(this.#kind, this.#key, ...this.#parts), encoding); }
  }
  const pbkdf2 = (password, salt, rounds, length, name) => {
    const kind = kindOf(name), key = bytesFrom(password), out = new Uint8Array(length);
    for (let at = 0, number = 1; at < length; number++) {
      let last = hmac(kind, key, bytesFrom(salt), Uint8Array.of(number >>> 24, number >>> 16, number >>> 8, number));
      const block = last.slice();
      for (let round = 1; round < rounds; round++) {
        last = hmac(kind, key, last);
        for (let i = 0; i < block.length; i++) block[i] ^= last[i];
      }
      out.set(block.subarray(0, length - at), at);
      at += block.length;
    }
    return internal.toBuffer(out);
  };

  crypto.subtle = {
    async digest(algorithm, data) {
      const name = typeof algorithm === 'object' ? algorithm.name : algorithm;
      if (!/^sha-(1|256|384|512)$/i.test(name)) throw new DOMException('Unrecognized algorithm name', 'NotSupportedError');
      return digestOf(kindOf(name), bytesFrom(data)).buffer;
    },
  };

  internal.builtins['crypto'] = () => ({
    webcrypto: crypto, subtle: crypto.subtle, Hash, Hmac,
    createHash: (name) => new Hash(kindOf(name)),
    createHmac: (name, key) => new Hmac(kindOf(name), bytesFrom(key)),
    hash: (name, data, encoding = 'hex') => shaped(digestOf(kindOf(name), bytesFrom(data)), encoding),
    getHashes: () => [...kinds],
    pbkdf2Sync: pbkdf2,
    randomUUID: () => crypto.randomUUID(),
    getRandomValues: (view) => crypto.getRandomValues(view),
    randomBytes: (size) => internal.toBuffer(native.randomBytes(size)),
    randomInt(low, high) {
      if (high === undefined) { high = low; low = 0; }
      const [word] = new BigUint64Array(native.randomBytes(8).buffer);
      return low + Number(word % BigInt(high - low));
    },
    randomFillSync(view) { new Uint8Array(view.buffer, view.byteOffset, view.byteLength).set(native.randomBytes(view.byteLength)); return view; },
    timingSafeEqual(a, b) {
      if (a.byteLength !== b.byteLength) throw internal.codedError(RangeError, 'ERR_CRYPTO_TIMING_SAFE_EQUAL_LENGTH', 'Input buffers must have the same byte length');
      let difference = 0;
      const left = internal.bytesOf(a), right = internal.bytesOf(b);
      for (let i = 0; i < left.length; i++) difference |= left[i] ^ right[i];
      return difference === 0;
    },
  });
  internal.builtins['perf_hooks'] = () => ({ performance });
}
