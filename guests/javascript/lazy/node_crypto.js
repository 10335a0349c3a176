//! `node:crypto`: digests, HMAC, AES and keys from passwords; what is there of it, and what does the rest say?
(native, internal) => {
  const { codedError, toBuffer } = internal;
  const { kinds, kindOf, bytesFrom, digestOf, startHmac, endHmac, hkdf, isSame } = internal.lazy('digests');
  const crypto = globalThis.crypto;
  const shaped = (bytes, encoding) => (encoding === undefined || encoding === 'buffer' ? toBuffer(bytes) : internal.decodeText(bytes, encoding));
  const needKind = (digest) => {
    if (typeof digest !== 'string') throw codedError(TypeError, 'ERR_INVALID_ARG_TYPE', `The "digest" argument must be of type string. Received ${internal.received(digest)}`);
    const kind = kindOf(digest);
    if (kind < 0) throw codedError(TypeError, 'ERR_CRYPTO_INVALID_DIGEST', `Invalid digest: ${digest}`);
    return kind;
  };
  const outOfRange = (name, range, value) => codedError(RangeError, 'ERR_OUT_OF_RANGE', `The value of "${name}" is out of range. It must be ${range}. Received ${internal.inspect(value)}`);
  const size = (value, name, low = 0) => {
    if (typeof value !== 'number') throw codedError(TypeError, 'ERR_INVALID_ARG_TYPE', `The "${name}" argument must be of type number. Received ${internal.received(value)}`);
    if (!Number.isInteger(value)) throw outOfRange(name, 'an integer', value);
    if (value < low || value > 2147483647) throw outOfRange(name, `>= ${low} && <= 2147483647`, value);
    return value;
  };
  // The result of a function by its callback, later, as Node gives it.
  const later = (callback, run) => {
    if (typeof callback !== 'function') throw codedError(TypeError, 'ERR_INVALID_ARG_TYPE', `The "callback" argument must be of type function. Received ${internal.received(callback)}`);
    setImmediate(() => {
      let outcome;
      try { outcome = [null, run()]; } catch (error) { outcome = [error]; }
      callback(...outcome);
    });
  };

  // Objects that may also be used as streams become so at the first look at a stream's part, so that a mere digest loads no streams.
  const asStream = (Class) => {
    const become = (object) => {
      const { Transform } = internal.builtin('stream');
      if (Object.getPrototypeOf(Class.prototype) !== Transform.prototype) Object.setPrototypeOf(Class.prototype, Transform.prototype);
      if (!Object.hasOwn(object, '_readableState')) Transform.call(object);
      return Transform.prototype;
    };
    const hidden = (holder, name, value) => Object.defineProperty(holder, name, { value, writable: true, enumerable: false, configurable: true });
    for (const name of ['on', 'once', 'off', 'addListener', 'removeListener', 'emit', 'pipe', 'write', 'end', 'read', 'setEncoding', 'destroy', 'resume', 'pause', Symbol.asyncIterator]) {
      hidden(Class.prototype, name, function (...values) { return become(this)[name].apply(this, values); });
    }
    for (const name of ['_readableState', '_writableState']) {
      Object.defineProperty(Class.prototype, name, { get() { become(this); return this[name]; }, set(value) { hidden(this, name, value); }, configurable: true });
    }
    return Class;
  };

  const finalized = () => codedError(Error, 'ERR_CRYPTO_HASH_FINALIZED', 'Digest already called');
  const Hash = asStream(class Hash {
    #kind; #state;
    constructor(kind, state = native.startHash(kind)) { this.#kind = kind; this.#state = state; }
    update(data, encoding) {
      if (this.#state === null) throw finalized();
      native.feedHash(this.#state, bytesFrom(data, encoding));
      return this;
    }
    digest(encoding) {
      if (this.#state === null) throw finalized();
      const digest = native.endHash(this.#state);
      this.#state = null;
      return shaped(digest, encoding);
    }
    copy() { if (this.#state === null) throw finalized(); return new Hash(this.#kind, this.#state.slice()); }
    _transform(chunk, encoding, callback) { this.update(chunk, encoding); callback(); }
    _flush(callback) { this.push(this.digest()); callback(); }
  });
  const Hmac = asStream(class Hmac {
    #state;
    constructor(kind, key) { this.#state = startHmac(kind, key); }
    update(data, encoding) {
      if (this.#state === null) throw finalized();
      native.feedHash(this.#state.inner, bytesFrom(data, encoding));
      return this;
    }
    digest(encoding) {
      const digest = this.#state === null ? new Uint8Array(0) : endHmac(this.#state);
      this.#state = null;
      return shaped(digest, encoding);
    }
    _transform(chunk, encoding, callback) { this.update(chunk, encoding); callback(); }
    _flush(callback) { this.push(this.digest()); callback(); }
  });

  class KeyObject {
    #bytes;
    constructor(bytes) { this.#bytes = bytes.slice(); }
    static _bytes(key) { return typeof key === 'object' && key !== null && #bytes in key ? key.#bytes : undefined; }
    get type() { return 'secret'; }
    get symmetricKeySize() { return this.#bytes.length; }
    export(options) { return options?.format === 'jwk' ? { kty: 'oct', k: this.#bytes.toBase64({ alphabet: 'base64url', omitPadding: true }) } : toBuffer(this.#bytes.slice()); }
    equals(other) { return isSame(this.#bytes, KeyObject._bytes(other) ?? new Uint8Array(0)); }
  }
  const keyBytes = (key) => KeyObject._bytes(key) ?? bytesFrom(key, undefined, 'key');

  const modes = /^(?:aes-?(128|192|256)-?(ecb|cbc|ctr|gcm)|id-aes(128|192|256)-(gcm)|aes(128|192|256))$/;
  const cipherNames = [128, 192, 256].flatMap((bits) => ['cbc', 'ctr', 'ecb', 'gcm'].map((mode) => `aes-${bits}-${mode}`)).sort();
  const cipherOf = (name) => {
    if (typeof name !== 'string') throw codedError(TypeError, 'ERR_INVALID_ARG_TYPE', `The "cipher" argument must be of type string. Received ${internal.received(name)}`);
    const found = modes.exec(name.toLowerCase());
    if (!found) throw codedError(Error, 'ERR_CRYPTO_UNKNOWN_CIPHER', 'Unknown cipher');
    return { bits: Number(found[1] ?? found[3] ?? found[5]), mode: found[2] ?? found[4] ?? 'cbc' };
  };
  const engineOf = ({ bits, mode }, key, vector, isEncryption) => {
    const isVectorFit = mode === 'ecb' ? vector.length === 0 : mode === 'gcm' ? vector.length > 0 : vector.length === 16;
    if (!isVectorFit) throw codedError(TypeError, 'ERR_CRYPTO_INVALID_IV', 'Invalid initialization vector');
    if (key.length * 8 !== bits) throw codedError(RangeError, 'ERR_CRYPTO_INVALID_KEYLEN', 'Invalid key length');
    const ciphers = internal.lazy('ciphers');
    if (mode === 'gcm') return ciphers.gcmMode(key, vector, isEncryption);
    if (mode === 'ctr') return ciphers.counterMode(key, vector, 128);
    return ciphers.blockMode(key, mode === 'cbc' ? vector : null, isEncryption);
  };
  const unauthentic = () => new Error('Unsupported state or unable to authenticate data');
  class CipherBase {
    #engine; #isEncryption; #isDone = false; #decoder; #tag; #tagLength; #isGcm;
    constructor(name, key, vector, options, isEncryption) {
      const cipher = cipherOf(name);
      this.#isGcm = cipher.mode === 'gcm';
      this.#isEncryption = isEncryption;
      this.#tagLength = options?.authTagLength ?? 16;
      this.#engine = engineOf(cipher, keyBytes(key), vector === null || vector === undefined ? new Uint8Array(0) : bytesFrom(vector, undefined, 'iv'), isEncryption);
    }
    // Characters of an encoding may lie in the outputs of two calls.
    #shaped(bytes, encoding, isLast) {
      if (encoding === undefined || encoding === 'buffer') return toBuffer(bytes);
      this.#decoder ??= new (internal.builtin('string_decoder').StringDecoder)(encoding);
      return this.#decoder.write(toBuffer(bytes)) + (isLast ? this.#decoder.end() : '');
    }
    update(data, inputEncoding, outputEncoding) {
      if (this.#isDone) throw new Error('Trying to add data in unsupported state');
      return this.#shaped(this.#engine.update(bytesFrom(data, inputEncoding)), outputEncoding, false);
    }
    final(outputEncoding) {
      if (this.#isDone) throw codedError(Error, 'ERR_CRYPTO_INVALID_STATE', 'Invalid state');
      this.#isDone = true;
      if (this.#isGcm) {
        const tag = this.#engine.tag();
        if (this.#isEncryption) this.#tag = tag.slice(0, this.#tagLength);
        else if (this.#tag === undefined || !isSame(tag.subarray(0, this.#tag.length), this.#tag)) throw unauthentic();
      }
      return this.#shaped(this.#engine.final(), outputEncoding, true);
    }
    setAutoPadding(pads = true) { this.#engine.setPadding(Boolean(pads)); return this; }
    setAAD(data, options) {
      if (!this.#isGcm || this.#isDone) throw codedError(Error, 'ERR_CRYPTO_INVALID_STATE', 'Invalid state for operation setAAD');
      this.#engine.addExtra(bytesFrom(data, options?.encoding));
      return this;
    }
    getAuthTag() {
      if (!this.#isGcm || !this.#isEncryption || this.#tag === undefined) throw codedError(Error, 'ERR_CRYPTO_INVALID_STATE', 'Invalid state for operation getAuthTag');
      return toBuffer(this.#tag.slice());
    }
    setAuthTag(tag, encoding) {
      const bytes = bytesFrom(tag, encoding);
      if (!this.#isGcm || this.#isEncryption || this.#isDone) throw codedError(Error, 'ERR_CRYPTO_INVALID_STATE', 'Invalid state for operation setAuthTag');
      if (![4, 8, 12, 13, 14, 15, 16].includes(bytes.length)) throw codedError(TypeError, 'ERR_CRYPTO_INVALID_AUTH_TAG', `Invalid authentication tag length: ${bytes.length}`);
      this.#tag = bytes.slice();
      return this;
    }
    _transform(chunk, encoding, callback) {
      let out;
      try { out = this.update(chunk, encoding); } catch (error) { callback(error); return; }
      callback(null, out);
    }
    _flush(callback) {
      let out;
      try { out = this.final(); } catch (error) { callback(error); return; }
      this.push(out);
      callback();
    }
  }
  // Each has its own prototype for streams, with the methods of the common class.
  const cipherClass = (name, isEncryption) => {
    const Class = { [name]: class extends CipherBase { constructor(cipher, key, vector, options) { super(cipher, key, vector, options, isEncryption); } } }[name];
    for (const method of Object.getOwnPropertyNames(CipherBase.prototype)) {
      if (method !== 'constructor') Object.defineProperty(Class.prototype, method, Object.getOwnPropertyDescriptor(CipherBase.prototype, method));
    }
    return asStream(Class);
  };
  const Cipheriv = cipherClass('Cipheriv', true), Decipheriv = cipherClass('Decipheriv', false);

  const scrypt = (password, salt, length, options = {}) => {
    size(length, 'keylen');
    const n = options.N ?? options.cost ?? 16384, r = options.r ?? options.blockSize ?? 8, p = options.p ?? options.parallelization ?? 1;
    const wrong = (why = '') => codedError(RangeError, 'ERR_CRYPTO_INVALID_SCRYPT_PARAMS', `Invalid scrypt params${why}`);
    if (![n, r, p].every((value) => Number.isInteger(value) && value > 0) || n < 2 || (n & (n - 1)) !== 0) throw wrong();
    if (128 * r * (n + p + 2) > (options.maxmem ?? 32 * 1024 * 1024)) throw wrong(': error:030000AC:digital envelope routines::memory limit exceeded');
    return toBuffer(native.scrypt(bytesFrom(password, undefined, 'password'), bytesFrom(salt, undefined, 'salt'), n, r, p, length));
  };
  const pbkdf2 = (password, salt, rounds, length, digest) => {
    const kind = needKind(digest);
    return toBuffer(native.pbkdf2(kind, bytesFrom(password, undefined, 'password'), bytesFrom(salt, undefined, 'salt'), size(rounds, 'iterations', 1), size(length, 'keylen')));
  };
  const hkdfKey = (digest, key, salt, info, length) => hkdf(needKind(digest), keyBytes(key), bytesFrom(salt, undefined, 'salt'), bytesFrom(info, undefined, 'info'), size(length, 'length')).buffer;
  const randomInt = (low, high, callback) => {
    if (high === undefined || typeof high === 'function') [low, high, callback] = [0, low, high];
    for (const [name, value] of [['min', low], ['max', high]]) {
      if (!Number.isSafeInteger(value)) throw codedError(TypeError, 'ERR_INVALID_ARG_TYPE', `The "${name}" argument must be a safe integer. Received ${internal.received(value)}`);
    }
    if (high <= low) throw outOfRange('max', `greater than the value of "min" (${low})`, high);
    const [word] = new BigUint64Array(native.randomBytes(8).buffer), value = low + Number(word % BigInt(high - low));
    if (callback === undefined) return value;
    later((error, result) => callback(error, result), () => value);
    return undefined;
  };
  const fill = (view, at = 0, count = (view.byteLength ?? view.length) - at) => {
    internal.bytesOf(view).set(native.randomBytes(count), at);
    return view;
  };

  const unavailable = [
    'createSign', 'createVerify', 'sign', 'verify', 'generateKeyPair', 'generateKeyPairSync', 'createPrivateKey', 'createPublicKey', 'publicEncrypt', 'publicDecrypt',
    'privateEncrypt', 'privateDecrypt', 'createDiffieHellman', 'createECDH', 'diffieHellman',
  ];
  const crypt = {
    webcrypto: crypto, subtle: crypto.subtle, Hash, Hmac, Cipheriv, Decipheriv, KeyObject, constants: {},
    createHash(name) {
      const kind = kindOf(name);
      if (kind < 0) throw new Error('Digest method not supported');
      return new Hash(kind);
    },
    createHmac(name, key) {
      const kind = kindOf(name);
      if (kind < 0) throw codedError(TypeError, 'ERR_CRYPTO_INVALID_DIGEST', `Invalid digest: ${name}`);
      return new Hmac(kind, keyBytes(key));
    },
    createCipheriv: (name, key, vector, options) => new Cipheriv(name, key, vector, options),
    createDecipheriv: (name, key, vector, options) => new Decipheriv(name, key, vector, options),
    createSecretKey: (key, encoding) => new KeyObject(bytesFrom(key, encoding, 'key')),
    generateKeySync: (type, { length }) => new KeyObject(native.randomBytes(length / 8)),
    hash: (name, data, encoding = 'hex') => shaped(digestOf(needKind(name), bytesFrom(data)), encoding),
    getHashes: () => [...kinds], getCiphers: () => [...cipherNames], getCurves: () => [],
    getCipherInfo(name) {
      try { const { bits, mode } = cipherOf(name); return { mode, name: `aes-${bits}-${mode}`, keyLength: bits / 8, ...(mode !== 'ecb' && { ivLength: mode === 'gcm' ? 12 : 16 }) }; } catch { return undefined; }
    },
    pbkdf2Sync: pbkdf2, scryptSync: scrypt, hkdfSync: hkdfKey,
    pbkdf2(password, salt, rounds, length, digest, callback) { needKind(digest); later(callback, () => pbkdf2(password, salt, rounds, length, digest)); },
    scrypt(password, salt, length, options, callback) {
      if (typeof options === 'function') [options, callback] = [{}, options];
      later(callback, () => scrypt(password, salt, length, options));
    },
    hkdf(digest, key, salt, info, length, callback) { needKind(digest); later(callback, () => hkdfKey(digest, key, salt, info, length)); },
    randomUUID: () => crypto.randomUUID(),
    getRandomValues: (view) => crypto.getRandomValues(view),
    randomBytes(count, callback) {
      size(count, 'size');
      if (callback === undefined) return toBuffer(native.randomBytes(count));
      later(callback, () => toBuffer(native.randomBytes(count)));
      return undefined;
    },
    randomInt, randomFillSync: fill,
    randomFill(view, at, count, callback) { const values = [at, count, callback]; later(values.find((value) => typeof value === 'function'), () => fill(view, ...values.filter((value) => typeof value === 'number'))); },
    timingSafeEqual(a, b) {
      const left = internal.bytesOf(a), right = internal.bytesOf(b);
      if (left.length !== right.length) throw codedError(RangeError, 'ERR_CRYPTO_TIMING_SAFE_EQUAL_LENGTH', 'Input buffers must have the same byte length');
      return isSame(left, right);
    },
  };
  crypt.pseudoRandomBytes = crypt.randomBytes;
  for (const name of unavailable) {
    crypt[name] = () => { throw codedError(Error, 'ERR_FEATURE_UNAVAILABLE_ON_PLATFORM', `crypto.${name} is not in the sandbox; digests, HMAC, AES and keys from passwords are`); };
  }
  return crypt;
}
