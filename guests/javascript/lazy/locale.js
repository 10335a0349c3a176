//! `toLocaleString` and `localeCompare`: the usual calls without options are done here, every other one by `Intl`.
(native, internal) => {
  const { abs } = Math;
  // A number in American English; nothing where it needs rounding or is too large for plain digits.
  const plainNumber = (value) => {
    if (typeof value === 'bigint') return undefined;
    const text = `${value}`, sign = value < 0 ? '-' : '';
    const point = text.indexOf('.'), whole = point < 0 ? text.slice(sign.length) : text.slice(sign.length, point), fraction = point < 0 ? '' : text.slice(point);
    if (!(abs(value) < 1e21) || fraction.length > 4 || text.includes('e') || Object.is(value, -0)) return undefined;
    let grouped = whole.slice(-3);
    for (let at = whole.length - 3; at > 0; at -= 3) grouped = `${whole.slice(at > 3 ? at - 3 : 0, at)},${grouped}`;
    return sign + grouped + fraction;
  };
  const two = (number) => (number < 10 ? `0${number}` : `${number}`);
  const plainDate = (when, kind) => {
    const year = when.getFullYear();
    if (!(year > 0)) return undefined;
    const date = kind === 'time' ? '' : `${when.getMonth() + 1}/${when.getDate()}/${year}`;
    if (kind === 'date') return date;
    const hour = when.getHours(), time = `${hour % 12 || 12}:${two(when.getMinutes())}:${two(when.getSeconds())} ${hour < 12 ? 'AM' : 'PM'}`;
    return kind === 'time' ? time : `${date}, ${time}`;
  };
  // Programs often repeat a call; what it made is kept while locale and options are the same.
  const MOST = 32;
  const kept = new Map();
  // The zone may change while the program runs.
  const zoned = (kind, key) => (kind === 'number' || kind === 'order' ? key : `${key}\0${native.zoneName()}`);
  const keyOf = (kind, locales, options) => {
    if (locales !== undefined && typeof locales !== 'string') return undefined;
    if (options === undefined) return zoned(kind, `${kind} ${locales}`);
    if (typeof options !== 'object' || options === null || Object.getPrototypeOf(options) !== Object.prototype) return undefined;
    let key = `${kind} ${locales}`;
    for (const name of Object.keys(options)) {
      const value = options[name];
      if (typeof value === 'object' || typeof value === 'function' || typeof value === 'symbol') return undefined;
      key += `\0${name}\0${typeof value}${value}`;
    }
    return zoned(kind, key);
  };
  const keeping = (kind, locales, options, make) => {
    const key = keyOf(kind, locales, options);
    if (key === undefined) return make();
    let value = kept.get(key);
    if (value === undefined) {
      value = make();
      if (kept.size >= MOST) kept.clear();
      kept.set(key, value);
    }
    return value;
  };
  const isPlain = (locales, options) => options === undefined && (locales === undefined || locales === 'en-US');
  const number = (value, locales, options) => {
    const text = isPlain(locales, options) ? plainNumber(value) : undefined;
    return text ?? keeping('number', locales, options, () => internal.lazy('intl_numbers').make(locales, options)).inner.format(value);
  };
  const date = (when, locales, options, kind) => {
    const time = when.getTime();
    if (isPlain(locales, options) && time === time) {
      const text = plainDate(when, kind);
      if (text !== undefined) return text;
    }
    const own = keeping(kind, locales, options, () => internal.lazy('intl_dates').make(locales, options, kind, kind === 'any' ? 'all' : kind));
    return time === time ? internal.lazy('intl_dates').format(own, time) : 'Invalid Date';
  };
  const ruled = (a, b, locales, options) => {
    const { rules } = keeping('order', locales, options, () => internal.lazy('collator').make(locales, options));
    return internal.lazy('collate').compare(a, b, rules);
  };
  return { number, date, ruled, keeping, get Intl() { return internal.lazy('intl').Intl; } };
}
