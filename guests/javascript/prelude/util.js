//! `node:util`: what does it export?
(native, internal) => {
  const { inspect, format, formatWithOptions, codedError } = internal;
  const { classOf } = native;
  const customPromisify = Symbol.for('nodejs.util.promisify.custom');

  const promisify = (original) => {
    if (typeof original !== 'function') throw codedError(TypeError, 'ERR_INVALID_ARG_TYPE', `The "original" argument must be of type function. Received ${internal.received(original)}`);
    if (original[customPromisify]) return original[customPromisify];
    const promised = function (...values) {
      return new Promise((resolve, reject) => original.call(this, ...values, (error, value) => (error ? reject(error) : resolve(value))));
    };
    Object.setPrototypeOf(promised, Object.getPrototypeOf(original));
    return Object.defineProperties(promised, Object.getOwnPropertyDescriptors(original));
  };
  promisify.custom = customPromisify;
  Object.defineProperty(globalThis.setTimeout, customPromisify, { value: internal.timersPromises.setTimeout, configurable: true });
  Object.defineProperty(globalThis.setImmediate, customPromisify, { value: internal.timersPromises.setImmediate, configurable: true });

  const isView = (value, name) => ArrayBuffer.isView(value) && value[Symbol.toStringTag] === name;
  const types = {
    isPromise: (value) => classOf(value) === 'Promise', isRegExp: (value) => classOf(value) === 'RegExp', isDate: (value) => classOf(value) === 'Date',
    isMap: (value) => classOf(value) === 'Map', isSet: (value) => classOf(value) === 'Set', isWeakMap: (value) => classOf(value) === 'WeakMap',
    isWeakSet: (value) => classOf(value) === 'WeakSet', isNativeError: (value) => classOf(value) === 'Error', isProxy: (value) => classOf(value) === 'Proxy',
    isArrayBuffer: (value) => classOf(value) === 'ArrayBuffer', isAnyArrayBuffer: (value) => classOf(value) === 'ArrayBuffer',
    isTypedArray: (value) => classOf(value) === 'TypedArray', isUint8Array: (value) => isView(value, 'Uint8Array'), isDataView: (value) => classOf(value) === 'DataView',
    isArrayBufferView: (value) => ArrayBuffer.isView(value), isGeneratorObject: (value) => classOf(value) === 'Generator',
    isAsyncFunction: (value) => ['AsyncFunction', 'AsyncGeneratorFunction'].includes(classOf(value)),
    isGeneratorFunction: (value) => ['GeneratorFunction', 'AsyncGeneratorFunction'].includes(classOf(value)),
    isModuleNamespaceObject: (value) => classOf(value) === 'Module', isArgumentsObject: (value) => classOf(value) === 'Arguments',
    isSharedArrayBuffer: () => false, isExternal: () => false, isKeyObject: () => false, isCryptoKey: () => false,
    isMapIterator: (value) => classOf(value) === 'Map Iterator', isSetIterator: (value) => classOf(value) === 'Set Iterator',
    isBoxedPrimitive: (value) => typeof value === 'object' && ['Number', 'String', 'Boolean', 'Symbol', 'BigInt'].includes(classOf(value)),
  };

  for (const name of ['Number', 'String', 'Boolean', 'Symbol', 'BigInt']) types[`is${name}Object`] = (value) => typeof value === 'object' && classOf(value) === name;
  for (const name of ['Uint8Clamped', 'Uint16', 'Uint32', 'Int8', 'Int16', 'Int32', 'Float32', 'Float64', 'BigInt64', 'BigUint64']) types[`is${name}Array`] = (value) => isView(value, `${name}Array`);

  // Equality of `assert.deepEqual` (loose) and `assert.deepStrictEqual`, `util.isDeepStrictEqual`.
  const sameValue = (a, b, isStrict) => (isStrict ? Object.is(a, b) : a == b || (a !== a && b !== b)); // eslint-disable-line eqeqeq
  const isObject = (value) => typeof value === 'object' && value !== null;
  const valueOfBox = (value, kind) => globalThis[kind].prototype.valueOf.call(value);

  const equalMembers = (a, b, isStrict, seen) => {
    const keysOf = (value) => Reflect.ownKeys(value).filter((key) => Object.prototype.propertyIsEnumerable.call(value, key));
    const keys = keysOf(a);
    return keys.length === keysOf(b).length && keys.every((key) => Object.hasOwn(b, key) && deepEqual(a[key], b[key], isStrict, seen));
  };
  const equalSets = (a, b, isStrict, seen) => {
    if (a.size !== b.size) return false;
    const rest = [...b].filter((item) => !a.has(item));
    return [...a].every((item) => {
      if (b.has(item)) return true;
      const at = rest.findIndex((other) => deepEqual(item, other, isStrict, seen));
      if (at >= 0) rest.splice(at, 1);
      return at >= 0;
    });
  };
  const equalMaps = (a, b, isStrict, seen) => {
    if (a.size !== b.size) return false;
    const rest = new Set(b.keys());
    for (const [key, value] of a) {
      let match = b.has(key) ? key : undefined;
      if (!b.has(key)) match = [...rest].find((other) => isObject(other) && deepEqual(key, other, isStrict, seen));
      if ((match === undefined && !b.has(key)) || !deepEqual(value, b.get(match), isStrict, seen)) return false;
      rest.delete(match);
    }
    return true;
  };
  const deepEqual = (a, b, isStrict, seen = []) => {
    if (!isObject(a) || !isObject(b)) {
      if (!isStrict && (isObject(a) || isObject(b) || typeof a === 'function' || typeof b === 'function')) return a === b;
      return sameValue(a, b, isStrict);
    }
    if (a === b) return true;
    if (isStrict && Object.getPrototypeOf(a) !== Object.getPrototypeOf(b)) return false;
    const kind = classOf(a);
    if (kind !== classOf(b) || Array.isArray(a) !== Array.isArray(b)) return false;
    if (Array.isArray(a) && a.length !== b.length) return false;
    if (seen.some(([left, right]) => left === a && right === b)) return true;
    seen.push([a, b]);
    let answer = true;
    if (kind === 'Date') answer = a.getTime() === b.getTime() || (Number.isNaN(a.getTime()) && Number.isNaN(b.getTime()));
    else if (kind === 'RegExp') answer = `${a}` === `${b}` && a.lastIndex === b.lastIndex;
    else if (kind === 'Error' || kind === 'DOMException') answer = a.message === b.message && a.name === b.name && deepEqual(a.cause, b.cause, isStrict, seen);
    else if (['Number', 'String', 'Boolean', 'Symbol', 'BigInt'].includes(kind)) answer = Object.is(valueOfBox(a, kind), valueOfBox(b, kind));
    else if (kind === 'ArrayBuffer') answer = deepEqual(new Uint8Array(a), new Uint8Array(b), isStrict, seen);
    else if (kind === 'Set') answer = equalSets(a, b, isStrict, seen);
    else if (kind === 'Map') answer = equalMaps(a, b, isStrict, seen);
    else if (['Promise', 'WeakMap', 'WeakSet'].includes(kind)) answer = false;
    answer = answer && equalMembers(a, b, isStrict, seen);
    seen.pop();
    return answer;
  };

  // Says so once, at the first call.
  const deprecate = (method, text, code) => {
    let isKnown = false;
    const deprecated = function (...values) {
      if (!isKnown) process.emitWarning(text, 'DeprecationWarning', code);
      isKnown = true;
      return new.target ? Reflect.construct(method, values, new.target) : method.apply(this, values);
    };
    Object.setPrototypeOf(deprecated, method);
    if (method.prototype) deprecated.prototype = method.prototype;
    return deprecated;
  };
  const needString = (value, name) => { if (typeof value !== 'string') throw codedError(TypeError, 'ERR_INVALID_ARG_TYPE', `The "${name}" argument must be of type string. Received ${internal.received(value)}`); };
  const stripVTControlCharacters = (text) => {
    needString(text, 'str');
    return text.replace(/[\u001b\u009b][[\]()#;?]*(?:(?:(?:(?:;[-a-zA-Z\d\/#&.:=?%@~_]+)*|[a-zA-Z\d]+(?:;[-a-zA-Z\d\/#&.:=?%@~_]*)*)?(?:\u0007|\u001b\\|\u009c))|(?:(?:\d{1,4}(?:;\d{0,4})*)?[\dA-PR-TZcf-nq-uy=><~]))/g, '');
  };
  const styleText = (style, text) => {
    needString(text, 'text');
    const all = [].concat(style).map((one) => {
      if (one === 'none') return [];
      if (!Object.hasOwn(inspect.colors, one)) throw codedError(TypeError, 'ERR_INVALID_ARG_VALUE', `The argument 'format' must be one of: ${Object.keys(inspect.colors).map((name) => `'${name}'`).join(', ')}. Received ${inspect(one)}`);
      return inspect.colors[one];
    }).filter((codes) => codes.length > 0);
    return all.map(([start]) => `\x1b[${start}m`).join('') + text + all.reverse().map(([, end]) => `\x1b[${end}m`).join('');
  };
  const callbackify = (original) => {
    if (typeof original !== 'function') throw codedError(TypeError, 'ERR_INVALID_ARG_TYPE', `The "original" argument must be of type function. Received ${internal.received(original)}`);
    return function (...values) {
      const callback = values.pop();
      if (typeof callback !== 'function') throw codedError(TypeError, 'ERR_INVALID_ARG_TYPE', `The last argument must be of type function. Received ${internal.received(callback)}`);
      const fail = (reason) => {
        if (!reason) reason = Object.assign(codedError(Error, 'ERR_FALSY_VALUE_REJECTION', 'Promise was rejected with falsy value'), { reason });
        internal.nextTick(callback, [reason]);
      };
      original.apply(this, values).then((value) => internal.nextTick(callback, [null, value]), fail);
    };
  };
  const debuglog = (section) => {
    const wanted = () => `${process.env.NODE_DEBUG ?? ''}`.split(',').some((part) => new RegExp(`^${part.trim().replace(/[\\^$+?.()|{}[\]]/g, '\\$&').replace(/\*/g, '.*')}$`, 'i').test(section) && part.trim() !== '');
    const log = (...values) => { if (wanted()) console.error(`${section.toUpperCase()} ${process.pid}: ${format(...values)}`); };
    return Object.defineProperty(log, 'enabled', { get: wanted, enumerable: true, configurable: true });
  };
  const parseEnv = (text) => {
    const found = {};
    const line = /^[ \t]*(?:export\s+)?([\w.-]+)[ \t]*=[ \t]*(?:'([^']*)'|"([^"]*)"|`([^`]*)`|([^\r\n#]*))/gm;
    for (const [, name, single, double, back, bare] of text.matchAll(line)) found[name] = single ?? double?.replaceAll('\\n', '\n') ?? back ?? bare.trim();
    return found;
  };
  const util = {
    inspect, format, formatWithOptions, promisify, types, deprecate, stripVTControlCharacters, styleText, callbackify, debuglog, debug: debuglog, parseEnv,
    inherits(constructor, parent) {
      for (const [name, value] of [['ctor', constructor], ['superCtor', parent]]) if (typeof value !== 'function') throw codedError(TypeError, 'ERR_INVALID_ARG_TYPE', `The "${name}" argument must be of type function. Received ${internal.received(value)}`);
      if (parent.prototype === undefined) throw codedError(TypeError, 'ERR_INVALID_ARG_TYPE', 'The "superCtor.prototype" property must be of type object. Received undefined');
      Object.defineProperty(constructor, 'super_', { value: parent, writable: true, configurable: true });
      Object.setPrototypeOf(constructor.prototype, parent.prototype);
    },
    isDeepStrictEqual: (a, b) => deepEqual(a, b, true),
    isBuffer: (value) => Buffer.isBuffer(value), log: (...values) => console.log(`${new Date().toTimeString().slice(0, 8)} - ${format(...values)}`),
    toUSVString: (text) => `${text}`.toWellFormed(),
    parseArgs: (config) => internal.lazy('parse_args')(config),
    aborted: (signal) => new Promise((resolve) => { if (signal.aborted) resolve(); else signal.addEventListener('abort', () => resolve(), { once: true }); }),
    getSystemErrorName: (number) => internal.errorNames().get(number)?.[0],
    getSystemErrorMap: () => internal.errorNames(),
    TextEncoder, TextDecoder,
    // The old questions about types.
    isArray: Array.isArray, isBoolean: (value) => typeof value === 'boolean', isNull: (value) => value === null, isNullOrUndefined: (value) => value === null || value === undefined,
    isNumber: (value) => typeof value === 'number', isString: (value) => typeof value === 'string', isSymbol: (value) => typeof value === 'symbol',
    isUndefined: (value) => value === undefined, isRegExp: types.isRegExp, isObject: (value) => typeof value === 'object' && value !== null, isDate: types.isDate,
    isError: (value) => types.isNativeError(value) || value instanceof Error, isFunction: (value) => typeof value === 'function',
    isPrimitive: (value) => (typeof value !== 'object' && typeof value !== 'function') || value === null,
  };
  internal.builtins['util'] = () => util;
  internal.builtins['util/types'] = () => types;
  internal.deepEqual = deepEqual;
  internal.builtins['assert'] = () => internal.lazy('assert');
  internal.builtins['assert/strict'] = () => internal.builtin('assert').strict;
}
