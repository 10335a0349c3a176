//! `crypto.subtle`: digests, HMAC, AES, PBKDF2 and HKDF by the interface of the web.
(native, internal) => {
  const { codedError } = internal;
  const { kindOf, lengths, bytesFrom, digestOf, hmac, hkdf, isSame } = internal.lazy('digests');
  const fail = (name, message) => { throw new DOMException(message, name); };
  const unsupported = () => fail('NotSupportedError', 'Unrecognized algorithm name');
  const failed = () => fail('OperationError', 'The operation failed for an operation-specific reason');
  const bytesOf = (data) => {
    if (!internal.isBuffer(data)) throw codedError(TypeError, 'ERR_INVALID_ARG_TYPE', `The data must be an instance of ArrayBuffer, Buffer, TypedArray, or DataView. Received ${internal.received(data)}`);
    return bytesFrom(data);
  };
  const token = Symbol('key');

  class CryptoKey {
    #bytes; #algorithm; #extractable; #usages;
    constructor(from, bytes, algorithm, extractable, usages) {
      if (from !== token) throw codedError(TypeError, 'ERR_ILLEGAL_CONSTRUCTOR', 'Illegal constructor');
      this.#bytes = bytes;
      this.#algorithm = algorithm;
      this.#extractable = Boolean(extractable);
      this.#usages = usages;
    }
    static _bytes(key) { return key.#bytes; }
    get type() { return 'secret'; }
    get extractable() { return this.#extractable; }
    get algorithm() { return this.#algorithm; }
    get usages() { return this.#usages; }
    [internal.inspect.custom](depth, options, inspect) {
      const { type, extractable, algorithm, usages } = this;
      return `CryptoKey ${inspect({ type, extractable, algorithm, usages }, { ...options, depth: options.depth === null ? null : options.depth - 1 })}`;
    }
  }
  Object.defineProperty(CryptoKey.prototype, Symbol.toStringTag, { value: 'CryptoKey', configurable: true });
  const secretOf = CryptoKey._bytes;
  delete CryptoKey._bytes;

  const allUsages = ['encrypt', 'decrypt', 'sign', 'verify', 'deriveKey', 'deriveBits', 'wrapKey', 'unwrapKey'];
  const cipherUsages = ['encrypt', 'decrypt', 'wrapKey', 'unwrapKey'];
  const usagesOf = { HMAC: ['sign', 'verify'], PBKDF2: ['deriveKey', 'deriveBits'], HKDF: ['deriveKey', 'deriveBits'], 'AES-GCM': cipherUsages, 'AES-CBC': cipherUsages, 'AES-CTR': cipherUsages };
  const names = new Map([...Object.keys(usagesOf), 'SHA-1', 'SHA-256', 'SHA-384', 'SHA-512'].map((name) => [name.toLowerCase(), name]));
  const normal = (algorithm) => {
    const given = typeof algorithm === 'object' && algorithm !== null ? algorithm : { name: algorithm };
    if (given.name === undefined) throw new TypeError("Failed to normalize algorithm: 'name' is required in 'Algorithm'.");
    return { ...given, name: names.get(`${given.name}`.toLowerCase()) ?? unsupported() };
  };
  const hashOf = (algorithm, what) => {
    if (algorithm.hash === undefined) throw codedError(TypeError, 'ERR_MISSING_OPTION', `Failed to normalize algorithm: passed algorithm can not be converted to '${what}' because 'hash' is required in '${what}'.`);
    const { name } = normal(algorithm.hash);
    return name.startsWith('SHA-') ? name : unsupported();
  };
  const checkUsages = (name, usages, isRequired) => {
    const wanted = [...usages];
    if (wanted.some((usage) => !allUsages.includes(usage))) throw new TypeError(`The provided value '${wanted.find((usage) => !allUsages.includes(usage))}' is not a valid enum value of type KeyUsage.`);
    if (wanted.some((usage) => !usagesOf[name].includes(usage))) fail('SyntaxError', `Unsupported key usage for ${/^AES/.test(name) ? 'an AES' : name === 'HMAC' ? 'an HMAC' : `a ${name}`} key`);
    if (isRequired && wanted.length === 0) fail('SyntaxError', 'Usages cannot be empty when importing a secret key.');
    return [...new Set(wanted)];
  };
  const need = (key, name, usage) => {
    if (!(key instanceof CryptoKey)) throw codedError(TypeError, 'ERR_INVALID_ARG_TYPE', `The key must be an instance of CryptoKey. Received ${internal.received(key)}`);
    const isOfUse = key.usages.includes(usage);
    if (key.algorithm.name !== name) fail('InvalidAccessError', usage === 'sign' || usage === 'verify' ? `Unable to use this key to ${usage}` : 'The requested operation is not valid for the provided key');
    if (!isOfUse) fail('InvalidAccessError', usage === 'sign' || usage === 'verify' ? `Unable to use this key to ${usage}` : 'The requested operation is not valid for the provided key');
    return secretOf(key);
  };
  const buffer = (bytes) => (bytes.byteLength === bytes.buffer.byteLength ? bytes.buffer : bytes.slice().buffer);

  const aesNames = { 'AES-GCM': 'GCM', 'AES-CBC': 'CBC', 'AES-CTR': 'CTR' };
  const keyOf = (bytes, algorithm, extractable, usages) => {
    const { name } = algorithm;
    const checked = checkUsages(name, usages, true);
    if (name === 'PBKDF2' || name === 'HKDF') {
      if (extractable) fail('SyntaxError', `${name} keys are not extractable`);
      return new CryptoKey(token, bytes, { name }, false, checked);
    }
    if (name === 'HMAC') {
      const hash = hashOf(algorithm, 'HmacImportParams');
      if (bytes.length === 0) fail('DataError', 'Zero-length key is not supported');
      return new CryptoKey(token, bytes, { name, hash: { name: hash }, length: algorithm.length ?? bytes.length * 8 }, extractable, checked);
    }
    if (![16, 24, 32].includes(bytes.length)) fail('DataError', 'Invalid key length');
    return new CryptoKey(token, bytes, { name, length: bytes.length * 8 }, extractable, checked);
  };
  const lengthFor = ({ name, length, ...rest }) => {
    if (name === 'HMAC') return length ?? (kindOf(hashOf(rest, 'HmacKeyGenParams')) >= 4 ? 1024 : 512);
    if (name in aesNames) return [128, 192, 256].includes(length) ? length : fail('OperationError', 'Invalid key length');
    return null;
  };

  const cipher = (algorithm, key, data, isEncryption) => {
    const { name } = algorithm, ciphers = internal.lazy('ciphers');
    const run = (mode) => internal.joinBytes([mode.update(data), mode.final()]);
    const vector = name === 'AES-CTR' ? bytesOf(algorithm.counter) : bytesOf(algorithm.iv);
    if (name !== 'AES-GCM' && vector.length !== 16) fail('OperationError', `algorithm.${name === 'AES-CTR' ? 'counter' : 'iv'} must contain exactly 16 bytes`);
    if (name === 'AES-CTR') {
      if (!(algorithm.length >= 1 && algorithm.length <= 128)) fail('OperationError', 'AES-CTR algorithm.length must be between 1 and 128');
      return run(ciphers.counterMode(key, vector, algorithm.length));
    }
    if (name === 'AES-CBC') {
      try { return run(ciphers.blockMode(key, vector, isEncryption)); } catch { return failed(); }
    }
    const bits = algorithm.tagLength ?? 128, size = bits / 8;
    if (![32, 64, 96, 104, 112, 120, 128].includes(bits)) fail('OperationError', `${bits} is not a valid AES-GCM tag length`);
    if (!isEncryption && data.length < size) fail('OperationError', 'The provided data is too small.');
    const mode = ciphers.gcmMode(key, vector, isEncryption);
    if (algorithm.additionalData !== undefined) mode.addExtra(bytesOf(algorithm.additionalData));
    const out = mode.update(isEncryption ? data : data.slice(0, -size)), tag = mode.tag().slice(0, size);
    if (isEncryption) return internal.joinBytes([out, tag]);
    return isSame(tag, data.subarray(-size)) ? out : failed();
  };
  const derive = (algorithm, key, bits) => {
    const { name } = algorithm, kind = kindOf(hashOf(algorithm, name === 'HKDF' ? 'HkdfParams' : 'Pbkdf2Params'));
    if (bits === null || bits === undefined || bits % 8 !== 0) fail('OperationError', 'length must be a multiple of 8');
    if (name === 'PBKDF2') {
      if (!(algorithm.iterations >= 1)) fail('OperationError', 'iterations cannot be zero');
      return native.pbkdf2(kind, key, bytesOf(algorithm.salt), algorithm.iterations, bits / 8);
    }
    if (bits / 8 > 255 * lengths[kind]) failed();
    return hkdf(kind, key, bytesOf(algorithm.salt), bytesOf(algorithm.info), bits / 8);
  };
  const webBase64 = { alphabet: 'base64url', omitPadding: true };
  const cipherAlgorithm = (algorithm) => { const given = normal(algorithm); return given.name in aesNames ? given : unsupported(); };
  const deriveAlgorithm = (algorithm) => { const given = normal(algorithm); return given.name === 'PBKDF2' || given.name === 'HKDF' ? given : unsupported(); };

  class SubtleCrypto {
    constructor(from) { if (from !== token) throw codedError(TypeError, 'ERR_ILLEGAL_CONSTRUCTOR', 'Illegal constructor'); }
    async digest(algorithm, data) {
      const { name } = normal(algorithm);
      return name.startsWith('SHA-') ? buffer(digestOf(kindOf(name), bytesOf(data))) : unsupported();
    }
    async generateKey(algorithm, extractable, usages) {
      const given = normal(algorithm), bits = lengthFor(given);
      if (bits === null) unsupported();
      if ([...usages].length === 0) fail('SyntaxError', 'Usages cannot be empty when creating a key.');
      return keyOf(native.randomBytes(Math.ceil(bits / 8)), given, extractable, usages);
    }
    async importKey(format, data, algorithm, extractable, usages) {
      if (!['raw', 'jwk', 'pkcs8', 'spki'].includes(format)) throw codedError(TypeError, 'ERR_INVALID_ARG_VALUE', `Failed to execute 'importKey' on 'SubtleCrypto': 1st argument value '${format}' is not a valid enum value of type KeyFormat.`);
      const given = normal(algorithm);
      if (!(given.name in usagesOf)) unsupported();
      if (format === 'raw') return keyOf(bytesOf(data).slice(), given, extractable, usages);
      if (format !== 'jwk') fail('NotSupportedError', `Unable to import ${given.name} using ${format} format`);
      if (data?.kty !== 'oct' || typeof data.k !== 'string') fail('DataError', 'Invalid keyData');
      if (data.ext === false && extractable) fail('DataError', 'JWK "ext" Parameter and extractable mismatch');
      let bytes;
      try { bytes = Uint8Array.fromBase64(data.k, webBase64); } catch { fail('DataError', 'Invalid keyData'); }
      return keyOf(bytes, given, extractable, usages);
    }
    async exportKey(format, key) {
      const { algorithm, extractable, usages } = key;
      if (!(key instanceof CryptoKey)) throw codedError(TypeError, 'ERR_INVALID_ARG_TYPE', 'The key must be an instance of CryptoKey');
      if (!extractable) throw new DOMException('key is not extractable', 'InvalidAccessException');
      const bytes = secretOf(key);
      if (format === 'raw') return buffer(bytes.slice());
      if (format !== 'jwk') fail('NotSupportedError', `Unable to export a ${algorithm.name} key using ${format} format`);
      const alg = algorithm.name === 'HMAC' ? `HS${algorithm.hash.name.slice(4)}` : `A${algorithm.length}${aesNames[algorithm.name]}`;
      return { key_ops: [...usages], ext: extractable, alg, kty: 'oct', k: bytes.toBase64(webBase64) };
    }
    async encrypt(algorithm, key, data) {
      const given = cipherAlgorithm(algorithm), bytes = bytesOf(data).slice();
      return buffer(cipher(given, need(key, given.name, 'encrypt'), bytes, true));
    }
    async decrypt(algorithm, key, data) {
      const given = cipherAlgorithm(algorithm), bytes = bytesOf(data).slice();
      return buffer(cipher(given, need(key, given.name, 'decrypt'), bytes, false));
    }
    async sign(algorithm, key, data) {
      const { name } = normal(algorithm);
      if (name !== 'HMAC') unsupported();
      return buffer(hmac(kindOf(key?.algorithm?.hash?.name), need(key, name, 'sign'), bytesOf(data)));
    }
    async verify(algorithm, key, signature, data) {
      const { name } = normal(algorithm);
      if (name !== 'HMAC') unsupported();
      return isSame(hmac(kindOf(key?.algorithm?.hash?.name), need(key, name, 'verify'), bytesOf(data)), bytesOf(signature));
    }
    async deriveBits(algorithm, key, bits) {
      const given = deriveAlgorithm(algorithm);
      return buffer(derive(given, need(key, given.name, 'deriveBits'), bits));
    }
    async deriveKey(algorithm, key, wanted, extractable, usages) {
      const given = deriveAlgorithm(algorithm), target = normal(wanted);
      return keyOf(derive(given, need(key, given.name, 'deriveKey'), lengthFor(target)), target, extractable, usages);
    }
    async wrapKey(format, key, wrapping, algorithm) {
      const given = cipherAlgorithm(algorithm), exported = await this.exportKey(format, key);
      const bytes = format === 'jwk' ? native.encodeUtf8(JSON.stringify(exported)) : new Uint8Array(exported);
      return buffer(cipher(given, need(wrapping, given.name, 'wrapKey'), bytes, true));
    }
    async unwrapKey(format, data, wrapping, algorithm, keyAlgorithm, extractable, usages) {
      const given = cipherAlgorithm(algorithm), bytes = cipher(given, need(wrapping, given.name, 'unwrapKey'), bytesOf(data).slice(), false);
      return this.importKey(format, format === 'jwk' ? JSON.parse(native.decodeUtf8(bytes, false)) : bytes, keyAlgorithm, extractable, usages);
    }
  }
  Object.defineProperty(SubtleCrypto.prototype, Symbol.toStringTag, { value: 'SubtleCrypto', configurable: true });
  return { CryptoKey, SubtleCrypto, subtle: new SubtleCrypto(token) };
}
