//! Texts of dates, and the methods for locales: the methods alone, see `lazy/locale.js` and `lazy/collate.js`.
(native, internal) => {
  const put = (prototype, name, method) => Object.defineProperty(prototype, name, { value: method, writable: true, enumerable: false, configurable: true });
  const { number, date } = { number: (...values) => internal.lazy('locale').number(...values), date: (...values) => internal.lazy('locale').date(...values) };
  internal.defineLazy('Intl', () => internal.lazy('locale').Intl);
  const { valueOf } = Number.prototype, { valueOf: bigValueOf } = BigInt.prototype, { getTime } = Date.prototype;
  put(Number.prototype, 'toLocaleString', { toLocaleString(locales, options) { return number(valueOf.call(this), locales, options); } }.toLocaleString);
  put(BigInt.prototype, 'toLocaleString', { toLocaleString(locales, options) { return number(bigValueOf.call(this), locales, options); } }.toLocaleString);
  for (const [name, kind] of [['toLocaleString', 'any'], ['toLocaleDateString', 'date'], ['toLocaleTimeString', 'time']]) {
    put(Date.prototype, name, { [name](locales, options) { return date(new Date(getTime.call(this)), locales, options, kind); } }[name]);
  }
  // The engine's own method hands neither locales nor options on.
  const joining = new Set();
  const { toLocaleString } = { toLocaleString(locales, options) {
    const list = Object(this);
    if (joining.has(list)) return '';
    joining.add(list);
    try {
      let text = '';
      for (let i = 0, { length } = list; i < length; i++) text += `${i > 0 ? ',' : ''}${list[i]?.toLocaleString(locales, options) ?? ''}`;
      return text;
    } finally {
      joining.delete(list);
    }
  } };
  for (const prototype of [Array.prototype, Object.getPrototypeOf(Int8Array.prototype)]) put(prototype, 'toLocaleString', toLocaleString);
  put(String.prototype, 'localeCompare', { localeCompare(other, locales, options) {
    if (this === null || this === undefined) throw new TypeError('String.prototype.localeCompare called on null or undefined');
    const text = `${this}`, second = `${other}`;
    return locales === undefined && options === undefined ? internal.lazy('collate').compare(text, second) : internal.lazy('locale').ruled(text, second, locales, options);
  } }.localeCompare);
  // The name of the time zone, as Node shows it.
  for (const name of ['toString', 'toTimeString']) {
    const plain = Date.prototype[name];
    put(Date.prototype, name, { [name]() {
      const text = plain.call(this), time = getTime.call(this);
      if (time !== time) return text;
      return `${text} (${native.zoneName() === undefined ? 'Coordinated Universal Time' : internal.lazy('intl_zones').longName(time)})`;
    } }[name]);
  }
  const toISOString = Date.prototype.toISOString;
  put(Date.prototype, 'toISOString', { toISOString() {
    if (Number.isNaN(getTime.call(this))) throw new RangeError('Invalid time value');
    return toISOString.call(this);
  } }.toISOString);
  internal.explainJson = (error, subject) => internal.lazy('json_errors')(error, subject);
}
