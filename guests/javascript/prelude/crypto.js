//! `crypto` and `performance`: where do random numbers and times come from?
(native, internal) => {
  const { define } = internal;
  const QUOTA = 65536;
  const integerViews = ['Int8Array', 'Uint8Array', 'Uint8ClampedArray', 'Int16Array', 'Uint16Array', 'Int32Array', 'Uint32Array', 'BigInt64Array', 'BigUint64Array'];
  const hex = (bytes) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');

  class Crypto {
    get subtle() { return internal.lazy('subtle').subtle; }
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
  for (const name of ['CryptoKey', 'SubtleCrypto']) internal.defineLazy(name, () => internal.lazy('subtle')[name]);

  const performance = { now: native.performanceNow };
  for (const name of ['mark', 'measure', 'getEntries', 'getEntriesByName', 'getEntriesByType', 'clearMarks', 'clearMeasures', 'timerify', 'eventLoopUtilization']) {
    performance[name] = { [name](...values) { return internal.lazy('perf_hooks').methods[name](...values); } }[name];
  }
  performance.toJSON = () => ({ timeOrigin: performance.timeOrigin });
  Object.defineProperty(performance, 'timeOrigin', { get: native.timeOrigin, enumerable: true, configurable: true });
  Object.defineProperty(performance, Symbol.toStringTag, { value: 'Performance', configurable: true });
  define('performance', performance);

  internal.builtins['crypto'] = () => internal.lazy('node_crypto');
  internal.builtins['perf_hooks'] = () => internal.lazy('perf_hooks').exports;
  for (const name of ['PerformanceEntry', 'PerformanceMark', 'PerformanceMeasure', 'PerformanceObserver', 'PerformanceObserverEntryList']) internal.defineLazy(name, () => internal.lazy('perf_hooks').exports[name]);
}
