//! `node:assert`: which expectations are there, and what does a failure say?
(native, internal) => {
  const { inspect, codedError, deepEqual } = internal;
  const sameValue = (a, b) => a == b || (a !== a && b !== b); // eslint-disable-line eqeqeq
  const shownWhole = (value) => inspect(value, { depth: 1000, maxArrayLength: Infinity, maxStringLength: Infinity, sorted: true, compact: false, customInspect: false });
  const short = (value) => inspect(value, { depth: 1000, maxArrayLength: Infinity, maxStringLength: Infinity });

  // Lines that are the same are shown next to others only; more than five in a row are left out.
  const shownSame = (lines, at, count) => {
    const shown = [];
    if (count > 4) shown.push(count === 5 ? `  ${lines[at - 3]}` : '...');
    if (count > 3) shown.push(`  ${lines[at - 2]}`);
    if (count > 2) shown.push(`  ${lines[at - 1]}`);
    return { shown, isCut: count > 5 };
  };
  // Node's comparison of two lists of lines, place by place.
  const compareLines = (a, b) => {
    const out = [];
    let other = [], same = 0, isCut = false;
    const most = Math.max(a.length, b.length), longer = a.length >= b.length ? a : b;
    const endSame = (lines, at) => {
      const { shown, isCut: cut } = shownSame(lines, at, same);
      out.push(...shown);
      isCut ||= cut;
      same = 0;
    };
    for (let i = 0; i < most; i++) {
      if (i >= Math.min(a.length, b.length)) {
        endSame(longer, i);
        if (longer === a) out.push(`+ ${a[i]}`);
        else other.push(`- ${b[i]}`);
      } else {
        const isComma = b[i] === `${a[i]},`;
        if (a[i] === b[i] || a[i] === `${b[i]},` || isComma) {
          out.push(...other.splice(0));
          if (++same <= 2) out.push(`  ${a[i]}${isComma ? ',' : ''}`);
        } else {
          endSame(a, i);
          out.push(`+ ${a[i]}`);
          other.push(`- ${b[i]}`);
        }
      }
      const isLong = [...out, ...other].filter((line) => line !== '...').length > 50;
      if (isLong && i < most - 2) return { text: [...out, '...', ...other, '...'].join('\n'), isCut: true, isOver: true };
    }
    return { text: [...out, ...other].join('\n'), isCut };
  };
  const compare = (title, actual, expected, isAboutIdentity = false) => {
    const a = shownWhole(actual).split('\n'), b = shownWhole(expected).split('\n');
    const isPlain = (value) => typeof value !== 'object' || value === null;
    let mark = '', atEnd = 0;
    if (a.length === 1 && b.length === 1 && a[0] !== b[0]) {
      const size = a[0].length + b[0].length;
      if (size <= 12 && isPlain(actual) && isPlain(expected) && (actual !== 0 || expected !== 0)) return `${title}\n\n${a[0]} !== ${b[0]}\n`;
      if (size > 12 && size < 80 && !isAboutIdentity) {
        while (a[0][atEnd] === b[0][atEnd]) atEnd++;
        if (atEnd > 2) { mark = `\n  ${' '.repeat(atEnd)}^`; atEnd = 0; }
      }
    }
    // What is the same at the end.
    const end = [];
    let further;
    while (a.length > 0 && b.length > 0 && a.at(-1) === b.at(-1)) {
      if (atEnd++ < 3) end.unshift(`  ${a.at(-1)}`);
      else further = `  ${a.at(-1)}`;
      a.pop();
      b.pop();
    }
    if (a.length === 0 && b.length === 0) return sameButNotEqual('Values have same structure but are not reference-equal:', actual);
    if (atEnd >= 5) end.unshift('...');
    if (further !== undefined) end.unshift(further);
    const { text, isCut, isOver } = compareLines(a, b);
    if (isOver) return `${title}\n+ actual - expected ... Lines skipped\n\n${text}`;
    return `${title}\n+ actual - expected${isCut || atEnd >= 5 ? ' ... Lines skipped' : ''}\n\n${[text, ...end].filter((part) => part !== '').join('\n')}${mark}`;
  };
  const cut = (text, most = 512) => (text.length > most ? `${text.slice(0, most - 3)}...` : text);
  const after = (shown) => {
    const lines = shown.split('\n');
    if (lines.length === 1) return `${shown.length > 5 ? '\n\n' : ' '}${shown}`;
    return `\n\n${(lines.length > 50 ? [...lines.slice(0, 46), '...'] : lines).join('\n')}\n`;
  };
  const sameButNotEqual = (title, value) => {
    const lines = shownWhole(value).split('\n');
    return `${title}\n\n${(lines.length > 50 ? [...lines.slice(0, 46), '...'] : lines).join('\n')}\n`;
  };

  class AssertionError extends Error {
    constructor(options) {
      if (typeof options !== 'object' || options === null) throw codedError(TypeError, 'ERR_INVALID_ARG_TYPE', `The "options" argument must be of type object. Received ${internal.received(options)}`);
      const { message, actual, expected, operator, stackStartFn } = options;
      super(message !== undefined ? `${message}` : defaultMessage(operator, actual, expected));
      this.generatedMessage = message === undefined || message === null;
      Object.defineProperty(this, 'name', { value: 'AssertionError', writable: true, enumerable: false, configurable: true });
      this.code = 'ERR_ASSERTION';
      this.actual = actual;
      this.expected = expected;
      this.operator = operator;
      // As the frames are taken, the name has the code.
      this.name = 'AssertionError [ERR_ASSERTION]';
      Error.captureStackTrace(this, stackStartFn ?? this.constructor);
      this.name = 'AssertionError';
    }
    toString() { return `${this.name} [${this.code}]: ${this.message}`; }
  }
  const defaultMessage = (operator, actual, expected) => {
    switch (operator) {
      case 'strictEqual': {
        const isAboutIdentity = (typeof actual === 'object' && actual !== null && typeof expected === 'object' && expected !== null) || (typeof actual === 'function' && typeof expected === 'function');
        return compare(isAboutIdentity ? 'Expected "actual" to be reference-equal to "expected":' : 'Expected values to be strictly equal:', actual, expected, isAboutIdentity);
      }
      case 'deepStrictEqual': return compare('Expected values to be strictly deep-equal:', actual, expected);
      case 'partialDeepStrictEqual': return compare('Expected values to be partially and strictly deep-equal:', actual, expected);
      case 'deepEqual': return `Expected values to be loosely deep-equal:\n\n${cut(shownWhole(actual))}\n\nshould loosely deep-equal\n\n${cut(shownWhole(expected))}`;
      case 'notDeepStrictEqual': return `Expected "actual" not to be strictly deep-equal to:${after(shownWhole(expected))}`;
      case 'notDeepEqual': return shownWhole(actual) === shownWhole(expected) ? cut(`Expected "actual" not to be loosely deep-equal to:\n\n${shownWhole(actual)}`, 1024)
        : `Expected values not to be loosely deep-equal:\n\n${cut(shownWhole(actual))}\n\nshould not loosely deep-equal\n\n${cut(shownWhole(expected))}`;
      case 'notStrictEqual': return typeof expected === 'object' && expected !== null ? `Expected "actual" not to be reference-equal to "expected":${after(shownWhole(expected))}` : `Expected "actual" to be strictly unequal to:${after(shownWhole(expected))}`;
      case '==': return `${cut(shownWhole(actual))} == ${cut(shownWhole(expected))}`;
      case '!=': return `${cut(shownWhole(actual))} != ${cut(shownWhole(expected))}`;
      case 'fail': return 'Failed';
      default: return `${short(actual)} ${operator} ${short(expected)}`;
    }
  };
  const fail = (from, message, actual, expected, operator, text) => {
    if (message instanceof Error) throw message;
    const error = new AssertionError({ message: message ?? text, actual, expected, operator, stackStartFn: from });
    error.generatedMessage = message === undefined || message === null;
    throw error;
  };
  // The text of these does not count as made by the check.
  const failPlainly = (from, actual, expected, operator, message) => { throw new AssertionError({ message, actual, expected, operator, stackStartFn: from }); };
  const needTwo = (count) => { if (count < 2) throw codedError(TypeError, 'ERR_MISSING_ARGS', 'The "actual" and "expected" arguments must be specified'); };

  // Part of `assert.partialDeepStrictEqual`: everything that is expected is there.
  const holds = (actual, expected) => {
    if (typeof expected !== 'object' || expected === null || typeof actual !== 'object' || actual === null) return deepEqual(actual, expected, true);
    if (Array.isArray(expected)) {
      let from = 0;
      return Array.isArray(actual) && expected.every((item) => { while (from < actual.length && !holds(actual[from], item)) from++; return from++ < actual.length; });
    }
    if (expected instanceof Map) return actual instanceof Map && [...expected].every(([key, value]) => actual.has(key) && holds(actual.get(key), value));
    if (expected instanceof Set) return actual instanceof Set && [...expected].every((item) => [...actual].some((other) => holds(other, item)));
    if (native.classOf(expected) !== undefined) return deepEqual(actual, expected, true);
    return Reflect.ownKeys(expected).every((key) => key in actual && holds(actual[key], expected[key]));
  };

  const shownPattern = (expected) => inspect(expected);
  const checkFields = (error, expected, message, from, operator) => {
    const keys = Object.keys(expected);
    if (expected instanceof Error) keys.push('name', 'message');
    else if (keys.length === 0) throw codedError(TypeError, 'ERR_INVALID_ARG_VALUE', "The argument 'error' may not be an empty object. Received {}");
    for (const key of keys) {
      const wanted = expected[key], found = error?.[key];
      if (typeof found === 'string' && wanted instanceof RegExp && wanted.test(found)) continue;
      if (error !== null && error !== undefined && key in Object(error) && deepEqual(found, wanted, true)) continue;
      if (message instanceof Error) throw message;
      class Comparison {}
      const pick = (value) => Object.assign(new Comparison(), Object.fromEntries(keys.filter((one) => value !== null && value !== undefined && one in Object(value)).map((one) => [one, value === error && typeof value[one] === 'string' && expected[one] instanceof RegExp && expected[one].test(value[one]) ? expected[one] : value[one]])));
      fail(from, message, error, expected, operator, message === undefined ? compare('Expected values to be strictly deep-equal:', pick(error), pick(expected)) : undefined);
    }
  };
  const checkThrown = (error, expected, message, from, operator) => {
    if (expected === undefined) return;
    if (typeof expected === 'string') {
      if (error?.message === expected || error === expected) throw codedError(TypeError, 'ERR_AMBIGUOUS_ARGUMENT', `The "error/message" argument is ambiguous. The error${error?.message === expected ? ' message' : ''} ${inspect(expected)} is identical to the message.`);
      return;
    }
    if (expected instanceof RegExp) {
      if (!expected.test(`${error}`)) fail(from, message, error, expected, operator, `The input did not match the regular expression ${shownPattern(expected)}. Input:\n\n${inspect(`${error}`)}\n`);
      return;
    }
    if (typeof expected === 'object') { checkFields(error, expected, message, from, operator); return; }
    if (expected.prototype !== undefined && error instanceof expected) return;
    if (expected === Error || Error.isPrototypeOf(expected)) {
      const kind = error?.constructor?.name || inspect(error);
      fail(from, message, error, expected, operator, `The error is expected to be an instance of "${expected.name}". Received "${error instanceof Error ? kind : inspect(error, { depth: -1 })}"${error?.message ? `\n\nError message:\n\n${error.message}` : ''}`);
    }
    const answer = Reflect.apply(expected, {}, [error]);
    if (answer === true) return;
    fail(from, message, error, expected, operator, `The ${expected.name ? `"${expected.name}" ` : ''}validation function is expected to return "true". Received ${inspect(answer)}${error instanceof Error ? `\n\nCaught error:\n\n${error}` : ''}`);
  };
  const needMatcher = (expected, message, operator) => {
    if (typeof expected === 'string' && message !== undefined) throw codedError(TypeError, 'ERR_INVALID_ARG_TYPE', `The "error" argument must be of type function or an instance of Error, RegExp, or Object. Received ${internal.received(expected)}`);
    if (expected === undefined || ['string', 'function', 'object'].includes(typeof expected) && expected !== null) return;
    throw codedError(TypeError, 'ERR_INVALID_ARG_TYPE', `The "error" argument must be of type function or an instance of Error, RegExp, or Object. Received ${internal.received(expected)}`);
  };
  const missing = (expected, message, from, operator) => {
    const kind = operator === 'rejects' ? 'rejection' : 'exception';
    const own = typeof expected === 'string' ? expected : message;
    if (own instanceof Error) throw own;
    const text = `Missing expected ${kind}${expected?.name ? ` (${expected.name})` : ''}${own ? `: ${own}` : '.'}`;
    const error = new AssertionError({ message: text, actual: undefined, expected: typeof expected === 'string' ? undefined : expected, operator, stackStartFn: from });
    throw error;
  };
  const unwanted = (error, expected, message, from, operator) => {
    const own = typeof expected === 'string' ? expected : message;
    if (typeof expected === 'function' && !(error instanceof expected)) throw error;
    if (expected instanceof RegExp && !expected.test(`${error}`)) throw error;
    const kind = operator === 'doesNotReject' ? 'rejection' : 'exception';
    failPlainly(from, error, typeof expected === 'string' ? undefined : expected, operator, `Got unwanted ${kind}${own ? `: ${own}` : '.'}\nActual message: "${error?.message}"`);
  };
  const needFunction = (run) => {
    if (typeof run !== 'function') throw codedError(TypeError, 'ERR_INVALID_ARG_TYPE', `The "fn" argument must be of type function. Received ${internal.received(run)}`);
  };
  const promiseOf = (run) => {
    if (typeof run !== 'function') {
      if (typeof run?.then !== 'function') throw codedError(TypeError, 'ERR_INVALID_ARG_TYPE', `The "promiseFn" argument must be of type function or an instance of Promise. Received ${internal.received(run)}`);
      return run;
    }
    const promise = run();
    if (typeof promise?.then !== 'function') throw codedError(TypeError, 'ERR_INVALID_RETURN_VALUE', `Expected instance of Promise to be returned from the "promiseFn" function but got ${internal.received(promise)}.`);
    return promise;
  };

  const checkTruth = (from, count, value, message) => {
    if (value) return;
    if (count === 0) fail(from, undefined, value, true, '==', 'No value argument passed to `assert.ok()`');
    fail(from, message, value, true, '==', `The expression evaluated to a falsy value:\n\n  ${from.name === 'ok' ? 'assert.ok' : from.name}(${inspect(value)})\n`);
  };
  function assert(...values) { checkTruth(assert, values.length, ...values); }
  function ok(...values) { checkTruth(ok, values.length, ...values); }
  const checks = {
    fail(message) { if (message instanceof Error) throw message; fail(checks.fail, message, undefined, undefined, 'fail', 'Failed'); },
    equal(a, b, message) { needTwo(arguments.length); if (!sameValue(a, b)) fail(checks.equal, message, a, b, '=='); },
    notEqual(a, b, message) { needTwo(arguments.length); if (sameValue(a, b)) fail(checks.notEqual, message, a, b, '!='); },
    strictEqual(a, b, message) { needTwo(arguments.length); if (!Object.is(a, b)) fail(checks.strictEqual, message, a, b, 'strictEqual'); },
    notStrictEqual(a, b, message) { needTwo(arguments.length); if (Object.is(a, b)) fail(checks.notStrictEqual, message, a, b, 'notStrictEqual'); },
    deepEqual(a, b, message) { needTwo(arguments.length); if (!deepEqual(a, b, false)) fail(checks.deepEqual, message, a, b, 'deepEqual'); },
    notDeepEqual(a, b, message) { needTwo(arguments.length); if (deepEqual(a, b, false)) fail(checks.notDeepEqual, message, a, b, 'notDeepEqual'); },
    deepStrictEqual(a, b, message) { needTwo(arguments.length); if (!deepEqual(a, b, true)) fail(checks.deepStrictEqual, message, a, b, 'deepStrictEqual'); },
    notDeepStrictEqual(a, b, message) { needTwo(arguments.length); if (deepEqual(a, b, true)) fail(checks.notDeepStrictEqual, message, a, b, 'notDeepStrictEqual'); },
    partialDeepStrictEqual(a, b, message) { needTwo(arguments.length); if (!holds(a, b)) fail(checks.partialDeepStrictEqual, message, a, b, 'partialDeepStrictEqual'); },
    match(text, pattern, message) {
      if (!(pattern instanceof RegExp)) throw codedError(TypeError, 'ERR_INVALID_ARG_TYPE', `The "regexp" argument must be an instance of RegExp. Received ${internal.received(pattern)}`);
      if (typeof text !== 'string') fail(checks.match, message, text, pattern, 'match', `The "string" argument must be of type string. Received ${internal.received(text)}`);
      if (!pattern.test(text)) fail(checks.match, message, text, pattern, 'match', `The input did not match the regular expression ${inspect(pattern)}. Input:\n\n${inspect(text)}\n`);
    },
    doesNotMatch(text, pattern, message) {
      if (!(pattern instanceof RegExp)) throw codedError(TypeError, 'ERR_INVALID_ARG_TYPE', `The "regexp" argument must be an instance of RegExp. Received ${internal.received(pattern)}`);
      if (typeof text !== 'string') fail(checks.doesNotMatch, message, text, pattern, 'doesNotMatch', `The "string" argument must be of type string. Received ${internal.received(text)}`);
      if (pattern.test(text)) fail(checks.doesNotMatch, message, text, pattern, 'doesNotMatch', `The input was expected to not match the regular expression ${inspect(pattern)}. Input:\n\n${inspect(text)}\n`);
    },
    throws(run, expected, message) {
      needFunction(run);
      needMatcher(expected, message);
      try { run(); } catch (error) { checkThrown(error, expected, message, checks.throws, 'throws'); return; }
      missing(expected, message, checks.throws, 'throws');
    },
    doesNotThrow(run, expected, message) {
      needFunction(run);
      try { run(); } catch (error) { unwanted(error, expected, message, checks.doesNotThrow, 'doesNotThrow'); }
    },
    async rejects(run, expected, message) {
      needMatcher(expected, message);
      const promise = promiseOf(run);
      try { await promise; } catch (error) { checkThrown(error, expected, message, checks.rejects, 'rejects'); return; }
      missing(expected, message, checks.rejects, 'rejects');
    },
    async doesNotReject(run, expected, message) {
      const promise = promiseOf(run);
      try { await promise; } catch (error) { unwanted(error, expected, message, checks.doesNotReject, 'doesNotReject'); }
    },
    ifError(value) {
      if (value === null || value === undefined) return;
      const text = typeof value === 'object' && typeof value.message === 'string' ? value.message || value.constructor?.name : inspect(value);
      failPlainly(checks.ifError, value, null, 'ifError', `ifError got unwanted exception: ${text}`);
    },
  };
  Object.assign(assert, checks, { ok, AssertionError });
  assert.strict = Object.assign(function strict(...values) { checkTruth(assert, values.length, ...values); }, assert, {
    equal: checks.strictEqual, notEqual: checks.notStrictEqual, deepEqual: checks.deepStrictEqual, notDeepEqual: checks.notDeepStrictEqual,
  });
  assert.strict.strict = assert.strict;
  return assert;
}
