//! `toLocaleString` of numbers and dates: the methods alone, see `lazy/locale.js`.
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
}
