//! `util.inspect`: how does the console show a value?
//!
//! The layout is that of Node: entries on one line while they are short, arrays of many short entries in columns, nesting cut at a depth.
(native, internal) => {
  const { classOf, promiseDetails, proxyDetails } = native;
  const custom = Symbol.for('nodejs.util.inspect.custom');
  const defaults = {
    depth: 2, breakLength: 80, compact: 3, maxArrayLength: 100, maxStringLength: 10000,
    showHidden: false, customInspect: true, sorted: false, getters: false, colors: false, showProxy: false, numericSeparator: false,
  };
  const plainName = /^[a-zA-Z_][a-zA-Z_0-9]*$/;
  const hasOwn = (object, key) => Object.prototype.hasOwnProperty.call(object, key);
  const describeOwn = Object.getOwnPropertyDescriptor;

  // Colours as Node has them; programs ask for them with `colors: true`.
  const styles = {
    number: [33, 39], bigint: [33, 39], boolean: [33, 39], string: [32, 39], symbol: [32, 39], undefined: [90, 39], null: [1, 22],
    special: [36, 39], date: [35, 39], regexp: [31, 39], name: null, module: [4, 24],
  };
  const paint = (context, text, style) => {
    const codes = context.colors && styles[style];
    return codes ? `\x1b[${codes[0]}m${text}\x1b[${codes[1]}m` : text;
  };
  const withoutColours = (text) => text.replace(/\x1b\[\d+m/g, '');

  // Columns that the text takes: wide characters two, joining ones none.
  const width = (context, text) => {
    if (context.colors) text = withoutColours(text);
    let columns = 0;
    for (const character of text) {
      const point = character.codePointAt(0);
      if (point < 0x300) columns += 1;
      else if ((point >= 0x300 && point <= 0x36f) || (point >= 0x200b && point <= 0x200f) || (point >= 0xfe00 && point <= 0xfe0f)) continue;
      else if ((point >= 0x1100 && point <= 0x115f) || (point >= 0x2e80 && point <= 0xa4cf) || (point >= 0xac00 && point <= 0xd7a3) ||
        (point >= 0xf900 && point <= 0xfaff) || (point >= 0xfe30 && point <= 0xfe6f) || (point >= 0xff00 && point <= 0xff60) ||
        (point >= 0xffe0 && point <= 0xffe6) || (point >= 0x1f300 && point <= 0x1faff) || (point >= 0x20000 && point <= 0x3fffd)) columns += 2;
      else columns += 1;
    }
    return columns;
  };

  const shortEscapes = { '\b': '\\b', '\t': '\\t', '\n': '\\n', '\f': '\\f', '\r': '\\r', '\\': '\\\\' };
  const needsEscape = /[\x00-\x1f\x7f-\x9f'\\]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/;
  const escapable = /[\x00-\x1f\x7f-\x9f\\]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g;
  const escapeOne = (character) => {
    const code = character.charCodeAt(0);
    return shortEscapes[character] ??
      (code > 0xff ? `\\u${code.toString(16).toUpperCase()}` : `\\x${code.toString(16).toUpperCase().padStart(2, '0')}`);
  };
  const quote = (text) => {
    if (!needsEscape.test(text)) return `'${text}'`;
    let mark = "'";
    if (text.includes("'")) {
      if (!text.includes('"')) mark = '"';
      else if (!text.includes('`') && !text.includes('${')) mark = '`';
    }
    let escaped = text.replace(escapable, escapeOne);
    if (mark === "'") escaped = escaped.replaceAll("'", "\\'");
    return mark + escaped + mark;
  };

  const showNumber = (number) => (Object.is(number, -0) ? '-0' : `${number}`);

  const showString = (context, text) => {
    let rest = '';
    if (text.length > context.maxStringLength) {
      const left = text.length - context.maxStringLength;
      text = text.slice(0, context.maxStringLength);
      rest = `... ${left} more character${left > 1 ? 's' : ''}`;
    }
    if (text.length > 16 && text.length > context.breakLength - context.indentation - 4 && text.includes('\n')) {
      const lines = text.split(/(?<=\n)/);
      return lines.map((line) => paint(context, quote(line), 'string')).join(` +\n${' '.repeat(context.indentation + 2)}`) + rest;
    }
    return paint(context, quote(text), 'string') + rest;
  };

  const showPrimitive = (context, value) => {
    switch (typeof value) {
      case 'string': return showString(context, value);
      case 'number': return paint(context, showNumber(value), 'number');
      case 'bigint': return paint(context, `${value}n`, 'bigint');
      case 'boolean': return paint(context, `${value}`, 'boolean');
      case 'undefined': return paint(context, 'undefined', 'undefined');
      case 'symbol': return paint(context, Symbol.prototype.toString.call(value), 'symbol');
      default: return paint(context, 'null', 'null');
    }
  };

  // The name of the class, or null for an object without prototype.
  const constructorName = (value) => {
    for (let object = value, depth = 0; object !== null && depth < 20; object = Object.getPrototypeOf(object), depth++) {
      const descriptor = describeOwn(object, 'constructor');
      if (descriptor && typeof descriptor.value === 'function' && descriptor.value.name !== '' && isInstance(value, descriptor.value)) {
        return descriptor.value.name;
      }
    }
    return null;
  };
  const isInstance = (value, constructor) => {
    try { return Function.prototype[Symbol.hasInstance].call(constructor, value); } catch { return false; }
  };
  const tagOf = (value, name) => {
    let tag;
    try { tag = value[Symbol.toStringTag]; } catch { return ''; }
    // It is listed with the other properties.
    if (Object.prototype.propertyIsEnumerable.call(value, Symbol.toStringTag)) return '';
    return typeof tag === 'string' && tag !== '' && tag !== name ? tag : '';
  };
  // `Name `, `Name(3) `, `Name [Tag] `, as they stand before a brace.
  const prefix = (name, tag, fallback, size = '') => {
    const shown = name === null ? `[${fallback}${size}: null prototype] ` : `${name}${size} `;
    return tag !== '' && name !== tag ? `${shown}[${tag}] ` : shown;
  };

  const showKey = (context, key) => {
    if (typeof key === 'symbol') return `[${paint(context, Symbol.prototype.toString.call(key), 'symbol')}]`;
    if (key === '__proto__') return "['__proto__']";
    return plainName.test(key) ? paint(context, key, 'name') : paint(context, quote(key), 'string');
  };

  const showAccessor = (context, descriptor, holder, level) => {
    const kind = descriptor.get ? (descriptor.set ? 'Getter/Setter' : 'Getter') : 'Setter';
    if (descriptor.get && context.getters && (context.getters === true ||
      (context.getters === 'get' && !descriptor.set) || (context.getters === 'set' && descriptor.set))) {
      try {
        const value = descriptor.get.call(holder);
        context.indentation += 2;
        const text = typeof value === 'object' && value !== null ? ` ${show(context, value, level)}` : `: ${show(context, value, level)}`;
        context.indentation -= 2;
        return typeof value === 'object' && value !== null ? `[${kind}]${text}` : `[${kind}${text}]`;
      } catch (error) {
        return `[${kind}: <Inspection threw (${error?.message})>]`;
      }
    }
    return paint(context, `[${kind}]`, 'special');
  };

  // How an entry stands: `key: value`, a bare value in an array, or an extra key in one.
  const showProperty = (context, object, key, level, isElement) => {
    const descriptor = describeOwn(object, key) ?? { value: object[key], enumerable: true };
    let text, gap = ' ';
    if (descriptor.get !== undefined || descriptor.set !== undefined) text = showAccessor(context, descriptor, object, level);
    else {
      const isCompact = context.compact === true && !isElement && !Array.isArray(object);
      const step = isCompact ? 3 : 2;
      context.indentation += step;
      text = show(context, descriptor.value, level);
      if (isCompact && context.breakLength < width(context, text)) gap = `\n${' '.repeat(context.indentation)}`;
      context.indentation -= step;
    }
    if (isElement) return text;
    const name = descriptor.enumerable === false ? `[${typeof key === 'symbol' ? Symbol.prototype.toString.call(key) : key}]` : showKey(context, key);
    return `${name}:${gap}${text}`;
  };

  const ownKeys = (context, value) => {
    if (context.showHidden) return Reflect.ownKeys(value);
    const keys = Object.keys(value);
    for (const symbol of Object.getOwnPropertySymbols(value)) {
      if (Object.prototype.propertyIsEnumerable.call(value, symbol)) keys.push(symbol);
    }
    return keys;
  };
  const isIndex = (key) => typeof key === 'string' && /^(0|[1-9]\d{0,9})$/.test(key) && +key < 4294967295;
  const more = (count) => `... ${count} more item${count > 1 ? 's' : ''}`;

  const arrayEntries = (context, array, level) => {
    const entries = [];
    const limit = Math.min(Math.max(0, context.maxArrayLength), array.length);
    let index = 0;
    while (index < array.length && entries.length < limit) {
      if (hasOwn(array, index)) {
        entries.push(showProperty(context, array, index, level, true));
        index++;
        continue;
      }
      const start = index;
      if (array.length - start > 1000) {
        const next = Object.keys(array).find((key) => isIndex(key) && +key >= start);
        index = next === undefined ? array.length : +next;
      } else while (index < array.length && !hasOwn(array, index)) index++;
      const holes = index - start;
      entries.push(paint(context, `<${holes} empty item${holes > 1 ? 's' : ''}>`, 'undefined'));
    }
    if (index < array.length) entries.push(more(array.length - index));
    return entries;
  };

  const typedEntries = (context, array, length) => {
    const limit = Math.min(Math.max(0, context.maxArrayLength), length);
    const entries = [];
    for (let i = 0; i < limit; i++) {
      entries.push(typeof array[i] === 'bigint' ? paint(context, `${array[i]}n`, 'bigint') : paint(context, showNumber(array[i]), 'number'));
    }
    if (length > limit) entries.push(more(length - limit));
    return entries;
  };

  const collectionEntries = (context, items, size, showOne) => {
    const entries = [];
    const limit = Math.max(0, context.maxArrayLength);
    context.indentation += 2;
    for (const item of items) {
      if (entries.length >= limit) break;
      entries.push(showOne(item));
    }
    context.indentation -= 2;
    if (size > limit) entries.push(more(size - limit));
    return entries;
  };

  const bufferEntries = (context, buffer) => {
    const bytes = new Uint8Array(buffer);
    const shown = Math.min(50, bytes.length);
    let hex = '';
    for (let i = 0; i < shown; i++) hex += (i ? ' ' : '') + bytes[i].toString(16).padStart(2, '0');
    if (bytes.length > shown) hex += ` ... ${bytes.length - shown} more byte${bytes.length - shown > 1 ? 's' : ''}`;
    return [`[Uint8Contents]: <${hex}>`, `[byteLength]: ${paint(context, `${buffer.byteLength}`, 'number')}`];
  };

  const functionBase = (value, name, tag) => {
    let source = '';
    try { source = Function.prototype.toString.call(value); } catch { /* a callable proxy */ }
    const own = describeOwn(value, 'name')?.value;
    const label = typeof own === 'string' && own !== '' ? own : '';
    if (source.startsWith('class') && /^class[\s{]/.test(source)) {
      let text = `[class ${label === '' ? '(anonymous)' : label}`;
      if (name !== 'Function' && name !== null) text += ` [${name}]`;
      if (tag !== '' && name !== tag) text += ` [${tag}]`;
      const parent = Object.getPrototypeOf(value);
      if (parent === null) text += ' extends [null prototype]';
      else if (typeof parent === 'function' && parent.name) text += ` extends ${parent.name}`;
      return `${text}]`;
    }
    const kind = { AsyncFunction: 'AsyncFunction', GeneratorFunction: 'GeneratorFunction', AsyncGeneratorFunction: 'AsyncGeneratorFunction' }[classOf(value)] ?? 'Function';
    let text = `[${kind}`;
    if (name === null) text += ' (null prototype)';
    text += label === '' ? ' (anonymous)]' : `: ${label}]`;
    if (name !== kind && name !== 'Function' && name !== null) text += ` ${name}`;
    if (tag !== '' && name !== tag && tag !== kind) text += ` [${tag}]`;
    return text;
  };


  // An error of an old class, which is a function: it has frames by `Error.captureStackTrace`.
  const isOldError = (value) => hasOwn(value, 'stack') && value instanceof Error && classOf(value) === undefined && typeof value.stack === 'string';

  // The heading says class and message as they are now; a class that did not set `name` still shows.
  const errorBase = (context, error, keys) => {
    let stack;
    try { stack = error.stack; } catch { /* a getter of the program */ }
    let name = 'Error', message = '';
    try { name = String(error.name ?? 'Error'); message = String(error.message ?? ''); } catch { /* likewise */ }
    const className = constructorName(error);
    let text;
    if (typeof stack === 'string' && stack !== '') text = stack;
    else text = message ? `${name}: ${message}` : name;
    if (className !== null && !text.startsWith(className) && className !== name && text.startsWith(name) && !hasOwn(error, 'name')) {
      text = className.includes(name) ? className + text.slice(name.length) : `${className} [${name}]${text.slice(name.length)}`;
    } else if (className === null) text = `[${name}: null prototype]${text.slice(name.length)}`;
    for (const key of ['name', 'message', 'stack']) {
      const at = keys.indexOf(key);
      if (at >= 0 && typeof error[key] === 'string' && text.includes(error[key])) keys.splice(at, 1);
    }
    for (const key of ['cause', 'errors']) {
      if (hasOwn(error, key) && !keys.includes(key) && (key === 'cause' || Array.isArray(error[key]))) keys.push(key);
    }
    const frames = text.indexOf('\n    at ');
    if (frames < 0 && !text.includes('\n') && !(context.bareErrors && context.seen.length === 1)) text = `[${text}]`;
    if (context.indentation > 0) text = text.replaceAll('\n', `\n${' '.repeat(context.indentation)}`);
    return text;
  };

  const boxedBase = (context, value, kind, name, tag, keys) => {
    const primitive = { Number, String, Boolean, Symbol, BigInt }[kind].prototype.valueOf.call(value);
    if (kind === 'String') {
      for (let i = keys.length - 1; i >= 0; i--) if (isIndex(keys[i]) && +keys[i] < primitive.length) keys.splice(i, 1);
    }
    let text = `[${kind}`;
    if (name !== kind) text += name === null ? ' (null prototype)' : ` (${name})`;
    text += `: ${showPrimitive({ ...context, colors: false, breakLength: Infinity }, primitive)}]`;
    if (tag !== '' && tag !== name) text += ` [${tag}]`;
    return text;
  };

  // What stands before the braces, the braces, and the entries that are not properties. `null` entries: properties only.
  const shapeOf = (context, value, keys, level) => {
    const kind = classOf(value);
    const name = constructorName(value);
    const tag = tagOf(value, name);
    const shape = { base: '', open: '{', close: '}', entries: [], isArray: false, done: null };
    const sized = (fallback, size) => (name === fallback && tag === '' ? `${fallback}(${size}) ` : prefix(name, tag, fallback, `(${size})`));
    if (Array.isArray(value)) {
      shape.isArray = true;
      shape.open = `${name === 'Array' && tag === '' ? '' : prefix(name, tag, 'Array', `(${value.length})`)}[`;
      shape.close = ']';
      if (value.length === 0 && keys.length === 0) return { ...shape, done: `${shape.open}]` };
      shape.entries = arrayEntries(context, value, level);
      return shape;
    }
    switch (kind) {
      case 'Set':
        shape.open = `${sized('Set', Set.prototype.values.call(value) && Reflect.get(Set.prototype, 'size', value))}{`;
        shape.entries = collectionEntries(context, Set.prototype.values.call(value), Reflect.get(Set.prototype, 'size', value), (item) => show(context, item, level));
        break;
      case 'Map':
        shape.open = `${sized('Map', Reflect.get(Map.prototype, 'size', value))}{`;
        shape.entries = collectionEntries(context, Map.prototype.entries.call(value), Reflect.get(Map.prototype, 'size', value),
          ([key, item]) => `${show(context, key, level)} => ${show(context, item, level)}`);
        break;
      case 'TypedArray': {
        const typeName = value[Symbol.toStringTag] ?? 'TypedArray';
        shape.isArray = true;
        shape.open = `${prefix(name, name === typeName ? '' : tag, typeName, `(${value.length})`)}[`;
        shape.close = ']';
        if (value.length === 0 && keys.length === 0) return { ...shape, done: `${shape.open}]` };
        shape.entries = typedEntries(context, value, value.length);
        break;
      }
      case 'Map Iterator':
      case 'Set Iterator':
        Object.assign(shape, iteratorShape(context, value, kind, level));
        break;
      case 'ArrayBuffer':
      case 'SharedArrayBuffer':
        shape.open = `${prefix(name, tag, kind)}{`;
        shape.entries = value.detached ? ['(detached)', '[byteLength]: 0'] : bufferEntries(context, value);
        break;
      case 'DataView':
        shape.open = `${prefix(name, tag, kind)}{`;
        shape.entries = ['byteLength', 'byteOffset', 'buffer'].map((key) => {
          context.indentation += 2;
          const text = `[${key}]: ${show(context, value[key], level)}`;
          context.indentation -= 2;
          return text;
        });
        break;
      case 'Promise': {
        const [state, result] = promiseDetails(value);
        shape.open = `${prefix(name, tag, kind)}{`;
        if (state === 0) shape.entries = [paint(context, '<pending>', 'special')];
        else {
          context.indentation += 2;
          const text = show(context, result, level);
          context.indentation -= 2;
          shape.entries = [state === 2 ? `${paint(context, '<rejected>', 'special')} ${text}` : text];
        }
        break;
      }
      case 'WeakSet':
      case 'WeakMap':
        shape.open = `${prefix(name, tag, kind)}{`;
        shape.entries = [paint(context, '<items unknown>', 'special')];
        break;
      case 'WeakRef': {
        context.indentation += 2;
        shape.open = `${prefix(name, tag, kind)}{`;
        shape.entries = [show(context, WeakRef.prototype.deref.call(value), level)];
        context.indentation -= 2;
        break;
      }
      case 'Generator':
      case 'AsyncGenerator':
        shape.open = `Object [${kind}] {`;
        break;
      case 'Module':
        shape.open = `[Module${name === null ? ': null prototype' : ''}] {`;
        break;
      case 'Arguments':
        shape.open = '[Arguments] {';
        break;
      case 'RegExp':
        shape.base = paint(context, RegExp.prototype.toString.call(value), 'regexp');
        if (name !== 'RegExp') shape.base = prefix(name, tag, 'RegExp') + shape.base;
        break;
      case 'Date':
        shape.base = Number.isNaN(Date.prototype.getTime.call(value)) ? 'Invalid Date' : Date.prototype.toISOString.call(value);
        shape.base = paint(context, shape.base, 'date');
        if (name !== 'Date') shape.base = prefix(name, tag, 'Date') + shape.base;
        break;
      case 'Number': case 'String': case 'Boolean': case 'Symbol': case 'BigInt':
        shape.base = boxedBase(context, value, kind, name, tag, keys);
        break;
      default:
        if (typeof value === 'function') {
          shape.base = functionBase(value, name, tag);
        } else if (kind === 'Error' || isOldError(value)) {
          shape.base = errorBase(context, value, keys);
          shape.isError = true;
        } else {
          shape.open = `${name === 'Object' && tag === '' ? '' : prefix(name, tag, 'Object')}{`;
          if (keys.length === 0) return { ...shape, done: `${shape.open}}` };
        }
    }
    if (shape.base !== '' && keys.length === 0) shape.done = shape.base;
    else if (shape.entries.length === 0 && keys.length === 0 && shape.base === '') shape.done = `${shape.open}${shape.close}`;
    return shape;
  };

  // Puts many short entries into columns of equal width.
  const inColumns = (context, entries, value) => {
    const extra = context.maxArrayLength < entries.length && entries.at(-1).startsWith('... ') ? 1 : 0;
    const count = entries.length - extra;
    const widths = [];
    let total = 0, widest = 0;
    for (let i = 0; i < count; i++) {
      widths[i] = width(context, entries[i]);
      total += widths[i] + 2;
      if (widest < widths[i]) widest = widths[i];
    }
    const column = widest + 2;
    if (!(column * 3 + context.indentation < context.breakLength) || !(total / column > 5 || widest <= 6)) return entries;
    const biased = Math.max(column - 3 - Math.sqrt(column - total / entries.length), 1);
    const columns = Math.min(
      Math.round(Math.sqrt(2.5 * biased * count) / biased),
      Math.floor((context.breakLength - context.indentation) / column),
      context.compact * 4, 15);
    if (columns <= 1) return entries;
    const lineWidths = [];
    for (let i = 0; i < columns; i++) {
      let most = 0;
      for (let j = i; j < count; j += columns) if (widths[j] > most) most = widths[j];
      lineWidths.push(most + 2);
    }
    const isNumeric = value !== undefined && Array.prototype.every.call(Array.prototype.slice.call(value, 0, entries.length), (item) => typeof item === 'number' || typeof item === 'bigint');
    const lines = [];
    for (let i = 0; i < count; i += columns) {
      const end = Math.min(i + columns, count);
      let line = '', j = i;
      for (; j < end - 1; j++) {
        const cell = `${entries[j]}, `;
        const gap = ' '.repeat(Math.max(0, lineWidths[j - i] - widths[j] - 2));
        line += isNumeric ? gap + cell : cell + gap;
      }
      line += isNumeric ? ' '.repeat(Math.max(0, lineWidths[j - i] - 2 - widths[j])) + entries[j] : entries[j];
      lines.push(line);
    }
    if (extra) lines.push(entries[count]);
    return lines;
  };

  // As before Node 12: on one line if it fits, and otherwise an entry a line behind the brace.
  const layOutCompact = (context, { base, open, close }, entries) => {
    const start = base ? ` ${base}` : '';
    let length = 2 * entries.length;
    for (const entry of entries) length += context.colors ? withoutColours(entry).length : entry.length;
    if (length <= context.breakLength && !base.includes('\n')) return `${open}${start} ${entries.join(', ')} ${close}`;
    const line = `\n${' '.repeat(context.indentation)}`;
    return `${open}${base === '' && open.length === 1 ? ' ' : `${start}${line}  `}${entries.join(`,${line}  `)} ${close}`;
  };

  const layOut = (context, shape, entries, level, value) => {
    const start = shape.base ? `${shape.base} ` : '';
    if (context.compact === true) return layOutCompact(context, shape, entries);
    if (context.compact !== false) {
      const before = entries.length;
      if (shape.isArray && before > 6) entries = inColumns(context, entries, value);
      if (context.deepest - level < context.compact && before === entries.length) {
        let length = entries.length * 2 + context.indentation + shape.open.length + shape.base.length + 10;
        for (const entry of entries) length += context.colors ? withoutColours(entry).length : entry.length;
        if (length <= context.breakLength && !shape.base.includes('\n')) {
          const joined = entries.join(', ');
          if (!joined.includes('\n')) return `${start}${shape.open} ${joined} ${shape.close}`;
        }
      }
    }
    const line = `\n${' '.repeat(context.indentation)}`;
    return `${start}${shape.open}${line}  ${entries.join(`,${line}  `)}${line}${shape.close}`;
  };

  const callCustom = (context, value, level) => {
    const method = value[custom];
    if (typeof method !== 'function' || method === inspect) return undefined;
    if (value.constructor?.prototype === value) return undefined;
    const depth = context.depth === Infinity || context.depth === null ? context.depth : context.depth - level;
    const { seen, indentation, deepest, circular, ...options } = context;
    const result = method.call(value, depth, { ...options, depth, stylize: (text, style) => paint(context, text, style) }, inspect);
    if (result === value) return undefined;
    if (typeof result !== 'object') return `${result}`.replaceAll('\n', `\n${' '.repeat(context.indentation)}`);
    return show(context, result, level);
  };

  const nameForDepth = (value) => {
    const name = constructorName(value);
    const kind = Array.isArray(value) ? 'Array' : 'Object';
    const tag = tagOf(value, name);
    if (name === null) return `[${kind}: null prototype]`;
    return tag ? `[${name} [${tag}]]` : `[${Array.isArray(value) ? 'Array' : name}]`;
  };

  const iteratorShape = (context, value, kind, level) => {
    const [hasPairs, items] = native.iteratorEntries(value);
    const list = hasPairs ? Array.from({ length: items.length / 2 }, (_, i) => [items[2 * i], items[2 * i + 1]]) : items;
    return {
      open: `[${hasPairs ? kind.replace('Iterator', 'Entries') : kind}] {`,
      entries: collectionEntries(context, list.values(), list.length, (item) => show(context, item, level)),
    };
  };

  const show = (context, value, level) => {
    if ((typeof value !== 'object' || value === null) && typeof value !== 'function') return showPrimitive(context, value);
    const proxy = proxyDetails(value);
    if (proxy) {
      if (context.showProxy) return showProxy(context, proxy, level);
      value = proxy[0];
      while (value !== null && proxyDetails(value)) value = proxyDetails(value)[0];
      if (value === null || value === undefined) return '<Revoked Proxy>';
    }
    if (context.customInspect) {
      const text = callCustom(context, value, level);
      if (text !== undefined) return text;
    }
    if (context.seen.includes(value)) {
      context.circular ??= new Map();
      if (!context.circular.has(value)) context.circular.set(value, context.circular.size + 1);
      return paint(context, `[Circular *${context.circular.get(value)}]`, 'special');
    }
    return showObject(context, value, level);
  };

  const showProxy = (context, [target, handler], level) => {
    if (level > context.depth && context.depth !== null) return '[Proxy [Array]]'.replace(' [Array]', '');
    context.indentation += 2;
    const entries = [show(context, target, level + 1), show(context, handler, level + 1)];
    context.indentation -= 2;
    return layOut(context, { base: '', open: 'Proxy [', close: ']', isArray: true }, entries, level);
  };

  const showObject = (context, value, level) => {
    let keys = ownKeys(context, value);
    const kind = classOf(value);
    if (Array.isArray(value) || kind === 'TypedArray') {
      keys = keys.filter((key) => !isIndex(key) && (context.showHidden || key !== 'length'));
    }
    if (context.sorted) keys.sort(context.sorted === true ? undefined : context.sorted);
    const isLeaf = kind === 'Error' || kind === 'Date' || kind === 'RegExp' || typeof value === 'function' || boxes.includes(kind);
    const isSmall = isLeaf ? keys.length === 0 && !(kind === 'Error' && (hasOwn(value, 'cause') || hasOwn(value, 'errors'))) : keys.length === 0 && isEmpty(value, kind);
    if (context.depth !== null && level > context.depth && !isSmall) return paint(context, nameForDepth(value), 'special');
    context.seen.push(value);
    const before = context.deepest;
    context.deepest = level;
    const shape = shapeOf(context, value, keys, level + 1);
    let text;
    if (shape.done !== null) {
      context.seen.pop();
      context.deepest = before;
      text = shape.isArray || shape.base === '' ? shape.done : decorateBase(context, shape, kind, value);
      return text;
    }
    const entries = shape.entries;
    for (const key of keys) entries.push(showProperty(context, value, key, level + 1, false));
    context.seen.pop();
    const index = context.circular?.get(value);
    if (index !== undefined) {
      const mark = paint(context, `<ref *${index}>`, 'special');
      if (context.compact === true) shape.open = `${mark} ${shape.open}`;
      else shape.base = shape.base === '' ? mark : `${mark} ${shape.base}`;
    }
    return layOut(context, shape, entries, level, shape.isArray ? value : undefined);
  };
  const decorateBase = (context, shape, kind, value) => {
    const style = typeof value === 'function' ? 'special' : undefined;
    return style ? paint(context, shape.done, style) : shape.done;
  };
  const boxes = ['Number', 'String', 'Boolean', 'Symbol', 'BigInt'];
  const isEmpty = (value, kind) => (Array.isArray(value) || kind === 'TypedArray' ? value.length === 0 : kind === undefined);

  const contextFrom = (options) => {
    const context = { ...defaults, ...options, seen: [], indentation: 0, deepest: 0, circular: undefined };
    if (context.maxArrayLength === null) context.maxArrayLength = Infinity;
    if (context.maxStringLength === null) context.maxStringLength = Infinity;
    if (context.depth === undefined) context.depth = 2;
    if (context.depth === Infinity) context.depth = null;
    return context;
  };

  // inspect(value, options), or the old inspect(value, showHidden, depth, colors).
  const inspect = (value, options, depth, colors) => {
    if (typeof options === 'boolean') options = { showHidden: options, ...(depth !== undefined && { depth }), ...(colors !== undefined && { colors }) };
    return show(contextFrom(options), value, 0);
  };
  inspect.custom = custom;
  inspect.defaultOptions = defaults;
  inspect.colors = { reset: [0, 0], bold: [1, 22], dim: [2, 22], italic: [3, 23], underline: [4, 24], blink: [5, 25], inverse: [7, 27], hidden: [8, 28], strikethrough: [9, 29], doubleunderline: [21, 24] };
  ['black', 'red', 'green', 'yellow', 'blue', 'magenta', 'cyan', 'white'].forEach((name, at) => {
    const Name = name[0].toUpperCase() + name.slice(1);
    Object.assign(inspect.colors, { [name]: [30 + at, 39], [`bg${Name}`]: [40 + at, 49], [`${name}Bright`]: [90 + at, 39], [`bg${Name}Bright`]: [100 + at, 49] });
  });
  inspect.colors.gray = inspect.colors.grey = inspect.colors.blackBright;
  inspect.styles = { special: 'cyan', number: 'yellow', bigint: 'yellow', boolean: 'yellow', undefined: 'grey', null: 'bold', string: 'green', symbol: 'green', date: 'magenta', regexp: 'red', module: 'underline' };

  Object.assign(internal, { inspect, isOldError, showNumber, quote, constructorName, width: (text) => width(defaults, text), isZeroWidth: (point) => width(defaults, String.fromCodePoint(point)) === 0, textWidth: (text, strips = true) => width(defaults, strips ? internal.stripVTControlCharacters(text) : text) });
}
