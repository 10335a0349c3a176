//! Digests and keys from passwords: what do `node:crypto` and `crypto.subtle` share?
(native, internal) => {
  const { codedError } = internal;
  const kinds = ['md5', 'sha1', 'sha224', 'sha256', 'sha384', 'sha512'];
  const lengths = [16, 20, 28, 32, 48, 64];
  const kindOf = (name) => kinds.indexOf(`${name}`.toLowerCase().replace(/^rsa-/, '').replace(/^sha-/, 'sha'));
  const plain = (bytes) => new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const bytesFrom = (data, encoding, name = 'data') => {
    if (typeof data === 'string') return plain(internal.encodeText(data, encoding === 'buffer' ? undefined : encoding));
    if (internal.isBuffer(data)) return plain(internal.bytesOf(data));
    throw codedError(TypeError, 'ERR_INVALID_ARG_TYPE', `The "${name}" argument must be of type string or an instance of Buffer, TypedArray, or DataView. Received ${internal.received(data)}`);
  };
  const digestOf = (kind, ...parts) => {
    const state = native.startHash(kind);
    for (const part of parts) native.feedHash(state, part);
    return native.endHash(state);
  };

  // An HMAC that takes its message in parts.
  const startHmac = (kind, key) => {
    const size = kind >= 4 ? 128 : 64, block = new Uint8Array(size);
    block.set(key.length > size ? digestOf(kind, key) : key);
    const inner = native.startHash(kind);
    native.feedHash(inner, block.map((byte) => byte ^ 0x36));
    return { inner, outer: block.map((byte) => byte ^ 0x5c), kind };
  };
  const endHmac = ({ inner, outer, kind }) => digestOf(kind, outer, native.endHash(inner));
  const hmac = (kind, key, ...parts) => {
    const state = startHmac(kind, key);
    for (const part of parts) native.feedHash(state.inner, part);
    return endHmac(state);
  };
  const hkdf = (kind, key, salt, info, length) => {
    const secret = hmac(kind, salt, key), out = new Uint8Array(length);
    for (let at = 0, number = 1, last = new Uint8Array(0); at < length; number++) {
      last = hmac(kind, secret, last, info, Uint8Array.of(number));
      out.set(last.subarray(0, length - at), at);
      at += last.length;
    }
    return out;
  };
  const isSame = (a, b) => {
    let difference = a.length ^ b.length;
    for (let i = 0; i < a.length; i++) difference |= a[i] ^ b[i];
    return difference === 0;
  };
  return { kinds, lengths, kindOf, bytesFrom, digestOf, startHmac, endHmac, hmac, hkdf, isSame };
}
