//! `console`: where do its arguments go?
(native, internal) => {
  const { format, inspect, showNumber, width } = internal;
  const STDOUT = 1, STDERR = 2;
  let indent = '';
  const counts = new Map();
  const timers = new Map();

  // One call is one write, so that lines never mix.
  const print = (fd, text) => {
    if (indent !== '') text = indent + text.replaceAll('\n', `\n${indent}`);
    native.write(fd, `${text}\n`);
  };
  const textOf = (values) => {
    if (values.length === 1) {
      const value = values[0];
      if (typeof value === 'string') return value;
      if (typeof value === 'number') return showNumber(value);
    }
    return values.length === 0 ? '' : format(...values);
  };

  const elapsed = (label) => {
    const start = timers.get(label);
    if (start === undefined) {
      print(STDERR, `Warning: No such label '${label}' for console.time()`);
      return undefined;
    }
    const milliseconds = native.now() - start;
    if (milliseconds >= 60000) {
      const minutes = Math.floor(milliseconds / 60000);
      return `${minutes}:${((milliseconds - minutes * 60000) / 1000).toFixed(3).padStart(6, '0')} (m:ss.mmm)`;
    }
    return milliseconds >= 1000 ? `${(milliseconds / 1000).toFixed(3)}s` : `${+milliseconds.toFixed(3)}ms`;
  };

  const padded = (text, columns) => ` ${text}${' '.repeat(columns - width(text) - 1)}`;
  const drawTable = (head, rows) => {
    const columns = head.map((name, i) => Math.max(width(name), ...rows.map((row) => width(row[i]))) + 2);
    const line = (left, middle, right) => left + columns.map((size) => '─'.repeat(size)).join(middle) + right;
    const row = (cells) => `│${cells.map((cell, i) => padded(cell, columns[i])).join('│')}│`;
    return [line('┌', '┬', '┐'), row(head), line('├', '┼', '┤'), ...rows.map(row), line('└', '┴', '┘')].join('\n');
  };
  const cell = (value) => inspect(value, { depth: typeof value === 'object' && value !== null && !Array.isArray(value) && Object.keys(value).length > 2 ? -1 : 0, maxArrayLength: 3, breakLength: Infinity });
  const isObject = (value) => (typeof value === 'object' && value !== null) || typeof value === 'function';

  const tableOf = (data, wanted) => {
    const isMap = data instanceof Map, isSet = data instanceof Set;
    const indexName = isMap || isSet ? '(iteration index)' : '(index)';
    let items;
    if (isMap) items = [...data].map(([key, value], i) => [`${i}`, value, key]);
    else if (isSet) items = [...data].map((value, i) => [`${i}`, value]);
    else items = Object.keys(data).map((key) => [key, data[key]]);
    const names = new Set(wanted);
    let hasValues = false;
    for (const [, value] of items) {
      if (!isObject(value)) hasValues = true;
      else if (!wanted && !isMap) for (const name of Object.keys(value)) names.add(name);
      if (isMap) hasValues = true;
    }
    const shown = [...names];
    const head = [indexName, ...(isMap ? ['Key'] : []), ...shown, ...(hasValues ? ['Values'] : [])];
    const rows = items.map(([key, value, mapKey]) => [
      key, ...(isMap ? [cell(mapKey)] : []),
      ...shown.map((name) => (isObject(value) && Object.hasOwn(value, name) ? cell(value[name]) : '')),
      ...(hasValues ? [isMap || !isObject(value) ? cell(value) : ''] : []),
    ]);
    return drawTable(head, rows);
  };

  const console = {
    log: (...values) => print(STDOUT, textOf(values)),
    warn: (...values) => print(STDERR, textOf(values)),
    dir: (value, options) => print(STDOUT, inspect(value, { customInspect: false, ...options })),
    time: (label = 'default') => {
      label = `${label}`;
      if (timers.has(label)) print(STDERR, `Warning: Label '${label}' already exists for console.time()`);
      else timers.set(label, native.now());
    },
    timeEnd: (label = 'default') => {
      const text = elapsed(`${label}`);
      if (text === undefined) return;
      timers.delete(`${label}`);
      print(STDOUT, `${label}: ${text}`);
    },
    timeLog: (label = 'default', ...values) => {
      const text = elapsed(`${label}`);
      if (text !== undefined) print(STDOUT, `${label}: ${text}${values.length ? ` ${format(...values)}` : ''}`);
    },
    trace: (...values) => {
      const error = new Error(textOf(values));
      error.name = 'Trace';
      print(STDERR, error.stack);
    },
    assert: (condition, ...values) => {
      if (condition) return;
      if (typeof values[0] === 'string') values[0] = `Assertion failed: ${values[0]}`;
      else values.unshift('Assertion failed');
      print(STDERR, format(...values));
    },
    clear: () => {},
    count: (label = 'default') => {
      const count = (counts.get(`${label}`) ?? 0) + 1;
      counts.set(`${label}`, count);
      print(STDOUT, `${label}: ${count}`);
    },
    countReset: (label = 'default') => {
      if (!counts.delete(`${label}`)) print(STDERR, `Warning: Count for '${label}' does not exist`);
    },
    group: (...values) => {
      if (values.length > 0) print(STDOUT, textOf(values));
      indent += '  ';
    },
    groupEnd: () => { indent = indent.slice(2); },
    table: (data, wanted) => print(STDOUT, isObject(data) ? tableOf(data, wanted) : textOf([data])),
  };
  const aliases = { info: console.log, debug: console.log, error: console.warn, dirxml: console.log, groupCollapsed: console.group };
  for (const [name, method] of Object.entries(aliases)) console[name] = { [name]: (...values) => method(...values) }[name];
  Object.defineProperty(console, Symbol.toStringTag, { value: 'console', configurable: true });
  internal.define('console', console);
}
