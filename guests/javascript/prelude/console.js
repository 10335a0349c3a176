//! `console`: where do its arguments go?
(native, internal) => {
  const { format, inspect, showNumber, types, width } = internal;
  const STDOUT = 1, STDERR = 2;
  const { write: send } = native;
  const { defaultOptions } = inspect;
  const includes = Function.prototype.call.bind(String.prototype.includes);
  let indent = '';
  // Set once the program has looked at `process.stdout` or `process.stderr`.
  let write;
  let isPlain = true;
  const noteWay = () => { isPlain = indent === '' && write === undefined; };
  internal.writeConsole = (through) => { write = through; noteWay(); };
  const counts = new Map();
  const timers = new Map();

  // One call is one write, so that lines never mix.
  const print = (fd, text) => {
    if (isPlain) { send(fd, `${text}\n`); return; }
    if (indent !== '') text = indent + text.replaceAll('\n', `\n${indent}`);
    (write ?? send)(fd, `${text}\n`);
  };
  const shown = (value) => (typeof value === 'string' ? value : typeof value === 'number' && !defaultOptions.numericSeparator ? showNumber(value) : inspect(value));
  // As `format`, which looks at every character of its first text.
  const textOf = (values) => {
    if (values.length === 0) return '';
    const first = values[0];
    if (values.length === 1) return shown(first);
    if (typeof first === 'string' && includes(first, '%')) return format(...values);
    let text = shown(first);
    for (let i = 1; i < values.length; i++) text += ` ${shown(values[i])}`;
    return text;
  };

  const elapsed = (label, method) => {
    const start = timers.get(label);
    if (start === undefined) {
      print(STDERR, `Warning: No such label '${label}' for console.${method}()`);
      return undefined;
    }
    const milliseconds = native.now() - start;
    if (milliseconds >= 60000) {
      const minutes = Math.floor(milliseconds / 60000);
      return `${minutes}:${((milliseconds - minutes * 60000) / 1000).toFixed(3).padStart(6, '0')} (m:ss.mmm)`;
    }
    return milliseconds >= 1000 ? `${(milliseconds / 1000).toFixed(3)}s` : `${+milliseconds.toFixed(3)}ms`;
  };

  const isArrayLike = (value) => Array.isArray(value) || (ArrayBuffer.isView(value) && !types.isDataView(value));
  const cell = (value) => {
    const isLarge = value !== null && typeof value === 'object' && !isArrayLike(value) && Object.keys(value).length > 2;
    return inspect(value, { depth: isLarge ? -1 : 0, maxArrayLength: 3, breakLength: Infinity });
  };
  // Columns are arrays that may have holes, and are as long as the first.
  const drawTable = (head, columns) => {
    const rows = Array.from(columns[0], (_, i) => columns.map((column) => column[i] ?? ''));
    const widths = head.map((name, i) => Math.max(width(name), ...rows.map((row) => width(row[i]))));
    const line = (left, middle, right) => left + widths.map((size) => '─'.repeat(size + 2)).join(middle) + right;
    const row = (cells) => `│${cells.map((text, i) => ` ${text}${' '.repeat(widths[i] - width(text))} `).join('│')}│`;
    return [line('┌', '┬', '┐'), row(head), line('├', '┼', '┤'), ...rows.map(row), line('└', '┴', '┘')].join('\n');
  };
  const ITERATION = '(iteration index)';
  const numbersTo = (length) => Array.from({ length }, (_, i) => cell(i));
  const tableOf = (data, names) => {
    const [listed, hasPairs] = native.iteratorEntries(data) ?? [];
    if (types.isMap(data) || (hasPairs && types.isMapIterator(data))) {
      const keys = [], values = [];
      if (listed) listed.forEach((item, i) => (i % 2 ? values : keys).push(cell(item)));
      else for (const [key, value] of data) { keys.push(cell(key)); values.push(cell(value)); }
      return drawTable([ITERATION, 'Key', 'Values'], [numbersTo(keys.length), keys, values]);
    }
    if (listed || types.isSet(data)) {
      const values = Array.from(listed ?? data, cell);
      return drawTable([ITERATION, 'Values'], [numbersTo(values.length), values]);
    }
    const columns = Object.create(null), plain = [], index = Object.keys(data);
    let hasPlain = false;
    index.forEach((key, i) => {
      const item = data[key];
      const isPlainItem = item === null || (typeof item !== 'object' && typeof item !== 'function');
      if (names === undefined && isPlainItem) {
        hasPlain = true;
        plain[i] = cell(item);
      } else for (const name of names ?? Object.keys(item)) (columns[name] ??= [])[i] = isPlainItem || !Object.hasOwn(item, name) ? '' : cell(item[name]);
    });
    const more = hasPlain ? [['Values', plain]] : [];
    const all = [['(index)', index], ...Object.entries(columns), ...more];
    return drawTable(all.map(([name]) => name), all.map(([, column]) => column));
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
      const text = elapsed(`${label}`, 'timeEnd');
      if (text === undefined) return;
      timers.delete(`${label}`);
      print(STDOUT, `${label}: ${text}`);
    },
    timeLog: (label = 'default', ...values) => {
      const text = elapsed(`${label}`, 'timeLog');
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
      isPlain = false;
    },
    groupEnd: () => { indent = indent.slice(2); noteWay(); },
    table: (data, names) => {
      if (names !== undefined) internal.node('internal/validators').validateArray(names, 'properties');
      print(STDOUT, data === null || typeof data !== 'object' ? textOf([data]) : tableOf(data, names));
    },
  };
  const aliases = { info: console.log, debug: console.log, error: console.warn, dirxml: console.log, groupCollapsed: console.group };
  for (const [name, method] of Object.entries(aliases)) console[name] = { [name]: (...values) => method(...values) }[name];
  Object.defineProperty(console, 'Console', {
    get() { return internal.node('internal/console/constructor').Console; },
    set(value) { Object.defineProperty(console, 'Console', { value, writable: true, enumerable: true, configurable: true }); },
    enumerable: true, configurable: true,
  });
  Object.defineProperty(console, Symbol.toStringTag, { value: 'console', configurable: true });
  internal.define('console', console);
}
