//! Where do random numbers and times come from?
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

  internal.builtins['crypto'] = () => ({
    webcrypto: crypto,
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
