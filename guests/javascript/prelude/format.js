//! Format strings: what do the placeholders of `console.log` and `util.format` mean?
(native, internal) => {
  const { inspect, showNumber } = internal;
  const { classOf } = native;
  const defaults = inspect.defaultOptions;

  const toIntegerText = (value) => {
    if (typeof value === 'bigint') return `${value}n`;
    if (typeof value === 'symbol') return 'NaN';
    return showNumber(typeof value === 'object' && value !== null ? Number.parseInt(String(value)) : Number.parseInt(value));
  };
  const stringPlaceholder = (value) => {
    switch (typeof value) {
      case 'number': return showNumber(value);
      case 'bigint': return `${value}n`;
      case 'symbol': return Symbol.prototype.toString.call(value);
      case 'object':
        if (value === null) break;
        if (!hasUserToString(value)) return inspect(value, { depth: 0, colors: false });
    }
    return String(value);
  };
  const hasUserToString = (value) => {
    if (classOf(value) === 'Error' || classOf(value) === 'Date') return true;
    if (typeof value.toString !== 'function') return false;
    return value.toString !== Object.prototype.toString && value.toString !== Array.prototype.toString;
  };

  const placeholder = (letter, value) => {
    switch (letter) {
      case 's': return stringPlaceholder(value);
      case 'd':
        if (typeof value === 'bigint') return `${value}n`;
        return typeof value === 'symbol' ? 'NaN' : showNumber(Number(value));
      case 'i': return toIntegerText(value);
      case 'f': return typeof value === 'symbol' ? 'NaN' : showNumber(Number.parseFloat(value));
      case 'j':
        try { return JSON.stringify(value); } catch (error) {
          if (error.message.includes('circular')) return '[Circular]';
          throw error;
        }
      case 'o': return inspect(value, { showHidden: true, showProxy: true, depth: 4 });
      case 'O': return inspect(value);
      default: return '';
    }
  };

  const formatOne = (value) => {
    if (typeof value === 'string') return value;
    return inspect(value);
  };

  const format = (...values) => {
    const first = values[0];
    if (values.length === 1) return formatOne(first);
    if (typeof first !== 'string') return values.map(formatOne).join(' ');
    let next = 1;
    let text = first;
    if (first.includes('%')) {
      text = first.replace(/%([%sdifjoOc])/g, (whole, letter) => {
        if (letter === '%') return values.length > 1 ? '%' : whole;
        if (next >= values.length) return whole;
        return placeholder(letter, values[next++]);
      });
    }
    for (; next < values.length; next++) text += ` ${formatOne(values[next])}`;
    return text;
  };

  const formatWithOptions = (options, ...values) => {
    const saved = { ...defaults };
    Object.assign(defaults, options);
    try { return format(...values); } finally { Object.assign(defaults, saved); }
  };

  Object.assign(internal, { format, formatWithOptions });
}
