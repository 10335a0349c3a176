//! `node:util` and `node:assert`: what do they export?
(native, internal) => {
  const { inspect, format, formatWithOptions, codedError } = internal;
  const { classOf } = native;
  const customPromisify = Symbol.for('nodejs.util.promisify.custom');

  const promisify = (original) => {
    if (typeof original !== 'function') throw codedError(TypeError, 'ERR_INVALID_ARG_TYPE', `The "original" argument must be of type function. Received ${internal.received(original)}`);
    if (original[customPromisify]) return original[customPromisify];
    return function (...values) {
      return new Promise((resolve, reject) => original.call(this, ...values, (error, value) => (error ? reject(error) : resolve(value))));
    };
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
    isBoxedPrimitive: (value) => typeof value === 'object' && ['Number', 'String', 'Boolean', 'Symbol', 'BigInt'].includes(classOf(value)),
  };

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

  const deprecate = (method) => method;
  const stripVTControlCharacters = (text) => text.replace(/[\u001b\u009b][[\]()#;?]*(?:(?:\d{1,4}(?:;\d{0,4})*)?[\dA-PR-TZcf-nq-uy=><~]|[^\u0007]*\u0007)/g, '');
  const util = {
    inspect, format, formatWithOptions, promisify, types, deprecate, stripVTControlCharacters,
    callbackify: (original) => function (...values) {
      const callback = values.pop();
      original.apply(this, values).then((value) => internal.nextTick(callback, [null, value]), (error) => internal.nextTick(callback, [error]));
    },
    inherits(constructor, parent) {
      Object.defineProperty(constructor, 'super_', { value: parent, writable: true, configurable: true });
      Object.setPrototypeOf(constructor.prototype, parent.prototype);
    },
    isDeepStrictEqual: (a, b) => deepEqual(a, b, true),
    isArray: Array.isArray, toUSVString: (text) => `${text}`.toWellFormed(), debuglog: () => () => {},
    styleText: (style, text) => [].concat(style).reduce((result, one) => {
      const codes = { bold: [1, 22], dim: [2, 22], italic: [3, 23], underline: [4, 24], red: [31, 39], green: [32, 39], yellow: [33, 39], blue: [34, 39], magenta: [35, 39], cyan: [36, 39], white: [37, 39], gray: [90, 39] }[one];
      return codes ? `\x1b[${codes[0]}m${result}\x1b[${codes[1]}m` : result;
    }, `${text}`),
    TextEncoder, TextDecoder,
  };
  internal.builtins['util'] = () => util;
  internal.builtins['util/types'] = () => types;

  class AssertionError extends Error {
    constructor({ message, actual, expected, operator, stackStartFn }) {
      super(message);
      this.name = 'AssertionError';
      this.code = 'ERR_ASSERTION';
      Object.assign(this, { generatedMessage: false, actual, expected, operator });
    }
  }
  const fail = (message, actual, expected, operator, text) => {
    if (message instanceof Error) throw message;
    const error = new AssertionError({ message: message ?? text, actual, expected, operator });
    error.generatedMessage = message === undefined;
    throw error;
  };
  const both = (heading, actual, expected) => `${heading}\n\n${inspect(actual)}\n\nshould loosely equal\n\n${inspect(expected)}`;
  const compare = (title, actual, expected) => {
    const lines = (value) => inspect(value, { depth: 1000, maxArrayLength: Infinity, maxStringLength: Infinity, sorted: true }).split('\n');
    const [a, b] = [lines(actual), lines(expected)];
    if (a.length === 1 && b.length === 1 && a[0] !== b[0] && a[0].length + b[0].length < 70) return `${title}\n\n${a[0]} !== ${b[0]}\n`;
    return `${title}\n+ actual - expected\n\n${a.map((line) => `+ ${line}`).join('\n')}\n${b.map((line) => `- ${line}`).join('\n')}`;
  };
  const matches = (error, expected) => {
    if (expected === undefined) return true;
    if (expected instanceof RegExp) return expected.test(`${error}`);
    if (typeof expected === 'function') {
      if (expected.prototype !== undefined && error instanceof expected) return true;
      if (Error.isPrototypeOf(expected) || expected === Error) return false;
      return expected.call({}, error) === true;
    }
    return Object.keys(expected).every((key) => (expected[key] instanceof RegExp && typeof error?.[key] === 'string' ? expected[key].test(error[key]) : deepEqual(error?.[key], expected[key], true)));
  };
  const checkThrown = (error, expected, message, operator) => {
    if (typeof expected === 'string') return;
    if (!matches(error, expected)) {
      if (typeof expected === 'function' || expected instanceof RegExp) {
        if (typeof expected === 'function' && (expected === Error || Error.isPrototypeOf(expected))) throw error;
      }
      fail(message, error, expected, operator, `The error does not match: ${inspect(error)}`);
    }
  };
  const assert = (value, message) => { if (!value) fail(message, value, true, '==', value === undefined && message === undefined ? 'The expression evaluated to a falsy value' : `The expression evaluated to a falsy value:\n\n  assert(${inspect(value)})\n`); };
  Object.assign(assert, {
    AssertionError, ok: assert,
    fail: (message = 'Failed') => fail(message, undefined, undefined, 'fail', 'Failed'),
    equal: (a, b, message) => { if (!sameValue(a, b, false)) fail(message, a, b, '==', `${inspect(a)} == ${inspect(b)}`); },
    notEqual: (a, b, message) => { if (sameValue(a, b, false)) fail(message, a, b, '!=', `${inspect(a)} != ${inspect(b)}`); },
    strictEqual: (a, b, message) => { if (!Object.is(a, b)) fail(message, a, b, 'strictEqual', compare('Expected values to be strictly equal:', a, b)); },
    notStrictEqual: (a, b, message) => { if (Object.is(a, b)) fail(message, a, b, 'notStrictEqual', `Expected "actual" to be strictly unequal to: ${inspect(b)}`); },
    deepEqual: (a, b, message) => { if (!deepEqual(a, b, false)) fail(message, a, b, 'deepEqual', both('Expected values to be loosely deep-equal:', a, b)); },
    notDeepEqual: (a, b, message) => { if (deepEqual(a, b, false)) fail(message, a, b, 'notDeepEqual', `Expected "actual" not to be loosely deep-equal to: ${inspect(b)}`); },
    deepStrictEqual: (a, b, message) => { if (!deepEqual(a, b, true)) fail(message, a, b, 'deepStrictEqual', compare('Expected values to be strictly deep-equal:', a, b)); },
    notDeepStrictEqual: (a, b, message) => { if (deepEqual(a, b, true)) fail(message, a, b, 'notDeepStrictEqual', `Expected "actual" not to be strictly deep-equal to: ${inspect(b)}`); },
    match: (text, pattern, message) => { if (!pattern.test(text)) fail(message, text, pattern, 'match', `The input did not match the regular expression ${inspect(pattern)}. Input:\n\n${inspect(text)}\n`); },
    doesNotMatch: (text, pattern, message) => { if (pattern.test(text)) fail(message, text, pattern, 'doesNotMatch', `The input was expected to not match the regular expression ${inspect(pattern)}. Input:\n\n${inspect(text)}\n`); },
    throws(run, expected, message) {
      try { run(); } catch (error) { checkThrown(error, expected, message, 'throws'); return; }
      fail(typeof expected === 'string' ? expected : message, undefined, expected, 'throws', `Missing expected exception${expected?.name ? ` (${expected.name})` : ''}.`);
    },
    doesNotThrow(run, message) { try { run(); } catch (error) { fail(typeof message === 'string' ? message : undefined, error, undefined, 'doesNotThrow', `Got unwanted exception.\nActual message: "${error?.message}"`); } },
    async rejects(run, expected, message) {
      try { await (typeof run === 'function' ? run() : run); } catch (error) { checkThrown(error, expected, message, 'rejects'); return; }
      fail(typeof expected === 'string' ? expected : message, undefined, expected, 'rejects', `Missing expected rejection${expected?.name ? ` (${expected.name})` : ''}.`);
    },
    async doesNotReject(run, message) { try { await (typeof run === 'function' ? run() : run); } catch (error) { fail(message, error, undefined, 'doesNotReject', `Got unwanted rejection.\nActual message: "${error?.message}"`); } },
    ifError(value) { if (value !== null && value !== undefined) throw value; },
  });
  assert.strict = Object.assign((value, message) => assert(value, message), assert, { equal: assert.strictEqual, notEqual: assert.notStrictEqual, deepEqual: assert.deepStrictEqual, notDeepEqual: assert.notDeepStrictEqual });
  assert.strict.strict = assert.strict;
  internal.builtins['assert'] = () => assert;
  internal.builtins['assert/strict'] = () => assert.strict;
}
