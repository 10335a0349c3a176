//! Ciphers: AES in the modes of `node:crypto` and `crypto.subtle`, over the block function of `@noble/ciphers`.
(native, internal) => {
  const library = internal.library('crypto');
  const { unsafe } = library['@noble/ciphers/aes.js']();
  const { ghash } = library['@noble/ciphers/_polyval.js']();
  const BLOCK = 16;
  const failure = (reason, code) => Object.assign(internal.codedError(Error, code, `error:${code === 'ERR_OSSL_BAD_DECRYPT' ? '1C800064' : '1C80006B'}:Provider routines::${reason}`), { library: 'Provider routines', reason });
  const badDecrypt = () => failure('bad decrypt', 'ERR_OSSL_BAD_DECRYPT');
  const badLength = () => failure('wrong final block length', 'ERR_OSSL_WRONG_FINAL_BLOCK_LENGTH');
  const joined = (a, b) => (a.length === 0 ? b : internal.joinBytes([a, b]));
  const mixInto = (target, source) => { for (let i = 0; i < target.length; i++) target[i] ^= source[i]; };
  // Adds one to the last `bits` bits of a counter.
  const count = (counter, bits) => {
    for (let at = BLOCK - 1, left = bits; left > 0; at--, left -= 8) {
      const mask = left >= 8 ? 0xff : (1 << left) - 1, next = (counter[at] & mask) + 1;
      counter[at] = (counter[at] & ~mask) | (next & mask);
      if (next <= mask) return;
    }
  };

  // ECB and CBC: whole blocks with padding. Decryption holds the last block back, because it may be padding.
  const blockMode = (key, vector, isEncryption) => {
    const keys = isEncryption ? unsafe.expandKeyLE(key) : unsafe.expandKeyDecLE(key);
    let rest = new Uint8Array(0), chain = vector?.slice(), pads = true;
    const turn = (block) => {
      if (isEncryption) {
        if (chain) mixInto(block, chain);
        unsafe.encryptBlock(keys, block);
        if (chain) chain = block;
      } else {
        const before = chain && block.slice();
        unsafe.decryptBlock(keys, block);
        if (chain) { mixInto(block, chain); chain = before; }
      }
      return block;
    };
    const update = (data) => {
      const all = joined(rest, data);
      let whole = all.length - (all.length % BLOCK);
      if (!isEncryption && pads && whole === all.length && whole > 0) whole -= BLOCK;
      rest = all.slice(whole);
      const out = new Uint8Array(whole);
      for (let at = 0; at < whole; at += BLOCK) out.set(turn(all.slice(at, at + BLOCK)), at);
      return out;
    };
    const final = () => {
      if (isEncryption) {
        if (!pads) { if (rest.length > 0) throw badLength(); return rest; }
        const last = new Uint8Array(BLOCK).fill(BLOCK - rest.length);
        last.set(rest);
        return turn(last);
      }
      if (!pads) { if (rest.length > 0) throw badLength(); return rest; }
      if (rest.length !== BLOCK) throw badLength();
      const last = turn(rest), size = last[BLOCK - 1];
      if (size < 1 || size > BLOCK || last.subarray(BLOCK - size).some((byte) => byte !== size)) throw badDecrypt();
      return last.subarray(0, BLOCK - size);
    };
    return { update, final, setPadding(value) { pads = value; } };
  };

  // A stream of bytes from a counter, which `data` is mixed with.
  const counterMode = (key, start, bits) => {
    const keys = unsafe.expandKeyLE(key), counter = start.slice();
    let stream = new Uint8Array(BLOCK), used = BLOCK;
    const update = (data) => {
      const out = new Uint8Array(data.length);
      for (let i = 0; i < data.length; i++) {
        if (used === BLOCK) {
          stream = unsafe.encryptBlock(keys, counter.slice());
          count(counter, bits);
          used = 0;
        }
        out[i] = data[i] ^ stream[used++];
      }
      return out;
    };
    return { update, final: () => new Uint8Array(0), setPadding() {} };
  };

  const lengthBlock = (first, second) => {
    const block = new Uint8Array(BLOCK), view = new DataView(block.buffer);
    view.setBigUint64(0, BigInt(first) * 8n);
    view.setBigUint64(8, BigInt(second) * 8n);
    return block;
  };
  // The authentication of GCM takes whole blocks; what is left of each part is filled with zeros.
  const authentication = (key) => {
    const hash = ghash.create(key, 1024);
    let rest = new Uint8Array(0), total = 0;
    const whole = (bytes) => { if (bytes.length > 0) hash.update(bytes.byteOffset % 4 ? bytes.slice() : bytes); };
    return {
      add(bytes) {
        total += bytes.length;
        const all = joined(rest, bytes), size = all.length - (all.length % BLOCK);
        whole(all.slice(0, size));
        rest = all.slice(size);
      },
      fill() { whole(rest); rest = new Uint8Array(0); const size = total; total = 0; return size; },
      end(first, second) { whole(lengthBlock(first, second)); return hash.digest(); },
    };
  };
  const gcmMode = (key, vector, isEncryption) => {
    const keys = unsafe.expandKeyLE(key), hashKey = unsafe.encryptBlock(keys, new Uint8Array(BLOCK));
    const start = new Uint8Array(BLOCK);
    if (vector.length === 12) {
      start.set(vector);
      start[BLOCK - 1] = 1;
    } else {
      const hash = authentication(hashKey);
      hash.add(vector);
      start.set(hash.end(0, hash.fill()));
    }
    const mask = unsafe.encryptBlock(keys, start.slice());
    count(start, 32);
    const stream = counterMode(key, start, 32), hash = authentication(hashKey);
    let extraLength = 0, hasData = false;
    const update = (data) => {
      if (!hasData) { extraLength = hash.fill(); hasData = true; }
      if (!isEncryption) hash.add(data);
      const out = stream.update(data);
      if (isEncryption) hash.add(out);
      return out;
    };
    return {
      update, setPadding() {}, final: () => new Uint8Array(0),
      addExtra(bytes) { hash.add(bytes); },
      tag() {
        update(new Uint8Array(0));
        const tag = hash.end(extraLength, hash.fill());
        mixInto(tag, mask);
        return tag;
      },
    };
  };
  return { blockMode, counterMode, gcmMode };
}
