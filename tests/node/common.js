// A stand-in for `test/common` of Node's own tests: what they share, without the processes, workers and sockets that it asks Node for.
'use strict';
const assert = require('assert');
const fs = require('fs');
const { inspect } = require('util');

const noop = () => {};
const checks = [];
const runChecks = (exitCode) => {
  if (exitCode !== 0) return;
  const failed = checks.filter((check) => ('minimum' in check ? check.actual < check.minimum : check.actual !== check.exact));
  for (const { name, actual, minimum, exact, stack } of failed) {
    console.log(`Mismatched ${name} function calls. Expected ${minimum === undefined ? `exactly ${exact}` : `at least ${minimum}`}, actual ${actual}.\n${stack}`);
  }
  if (failed.length > 0) process.exit(1);
};
const counted = (fn, criteria, field) => {
  if (typeof fn === 'number') [fn, criteria] = [noop, fn];
  fn ??= noop;
  const check = { [field]: criteria ?? 1, actual: 0, name: fn.name || '<anonymous>', stack: new Error().stack };
  if (checks.length === 0) process.on('exit', runChecks);
  checks.push(check);
  const wrapper = function (...values) { check.actual++; return fn.apply(this, values); };
  Object.defineProperties(wrapper, {
    name: { value: fn.name, configurable: true },
    length: { value: fn.length, configurable: true },
  });
  return wrapper;
};
const mustCall = (fn, exact) => counted(fn, exact, 'exact');
const mustCallAtLeast = (fn, minimum) => counted(fn, minimum, 'minimum');
const mustSucceed = (fn, exact) => mustCall(function (error, ...values) {
  assert.ifError(error);
  return typeof fn === 'function' ? fn.apply(this, values) : undefined;
}, exact);
const mustNotCall = (message) => {
  const { stack } = new Error();
  return function mustNotCall(...values) {
    assert.fail(`${message || 'function should not have been called'} at ${stack}${values.length > 0 ? `\ncalled with arguments: ${values.map((value) => inspect(value)).join(', ')}` : ''}`);
  };
};

const proxies = new WeakMap();
const mustNotMutateObjectDeep = (original) => {
  if (original === null || typeof original !== 'object') return original;
  if (!proxies.has(original)) {
    const refuse = (what) => () => assert.fail(`Expected no side effects, got ${what}`);
    proxies.set(original, new Proxy(original, {
      __proto__: null,
      get: (target, property, receiver) => mustNotMutateObjectDeep(Reflect.get(target, property, receiver)),
      set: refuse('set'), defineProperty: refuse('define'), deleteProperty: refuse('delete'), preventExtensions: refuse('preventExtensions'), setPrototypeOf: refuse('setPrototypeOf'),
    }));
  }
  return proxies.get(original);
};

const expectsError = (validator, exact) => mustCall((...values) => {
  assert.strictEqual(values.length, 1);
  const [error] = values;
  assert.strictEqual(Object.prototype.propertyIsEnumerable.call(error, 'message'), false);
  assert.throws(() => { throw error; }, validator);
  return true;
}, exact);

let warnings;
const expectOne = (name, expected, code) => {
  if (typeof expected === 'string') expected = [[expected, code]];
  else if (!Array.isArray(expected)) expected = Object.entries(expected).map(([key, value]) => [value, key]);
  else if (expected.length !== 0 && !Array.isArray(expected[0])) expected = [[expected[0], expected[1]]];
  return mustCall((warning) => {
    const [message, wanted] = expected.shift() ?? assert.fail(`Unexpected extra warning received: ${warning}`);
    assert.strictEqual(warning.name, name);
    if (typeof message === 'string') assert.strictEqual(warning.message, message);
    else assert.match(warning.message, message);
    assert.strictEqual(warning.code, wanted);
  }, expected.length);
};
const expectWarning = (nameOrMap, expected, code) => {
  if (warnings === undefined) {
    warnings = {};
    process.on('warning', (warning) => {
      if (!warnings[warning.name]) throw new TypeError(`"${warning.name}" was triggered without being expected.\n${inspect(warning)}`);
      warnings[warning.name](warning);
    });
  }
  if (typeof nameOrMap === 'string') warnings[nameOrMap] = expectOne(nameOrMap, expected, code);
  else for (const name of Object.keys(nameOrMap)) warnings[name] = expectOne(name, nameOrMap[name]);
};

const printSkipMessage = (message) => console.log(`1..0 # Skipped: ${message}`);
const skip = (message) => { printSkipMessage(message); process.exit(0); };

const viewClasses = [Int8Array, Uint8Array, Uint8ClampedArray, Int16Array, Uint16Array, Int32Array, Uint32Array, Float32Array, Float64Array, BigInt64Array, BigUint64Array, DataView];
const getArrayBufferViews = ({ buffer, byteOffset, byteLength }) => viewClasses
  .filter(({ BYTES_PER_ELEMENT = 1 }) => byteLength % BYTES_PER_ELEMENT === 0 && byteOffset % BYTES_PER_ELEMENT === 0)
  .map((Class) => new Class(buffer, byteOffset, byteLength / (Class.BYTES_PER_ELEMENT ?? 1)));

const invalidArgTypeHelper = (input) => {
  if (input == null) return ` Received ${input}`;
  if (typeof input === 'function') return ` Received function ${input.name}`;
  if (typeof input === 'object') return input.constructor?.name ? ` Received an instance of ${input.constructor.name}` : ` Received ${inspect(input, { depth: -1 })}`;
  let inspected = inspect(input, { colors: false });
  if (inspected.length > 28) inspected = `${inspected.slice(inspected, 0, 25)}...`;
  return ` Received type ${typeof input} (${inspected})`;
};

// A descriptor that is surely closed.
const runWithInvalidFD = (run) => {
  let fd = 1 << 30;
  try { while (fs.fstatSync(fd--) && fd > 0); } catch { return run(fd); }
  return printSkipMessage('Could not generate an invalid fd');
};

module.exports = {
  allowGlobals: noop, canCreateSymLink: () => true, enoughTestMem: false, expectsError, expectWarning, getArrayBufferViews,
  getBufferSources: (buffer) => [...getArrayBufferViews(buffer), new Uint8Array(buffer).buffer], getTTYfd: () => -1, hasCrypto: false, hasIntl: false, hasQuic: false, inFreeBSDJail: false,
  invalidArgTypeHelper, isAIX: false, isAlive: () => false, isASan: false, isDebug: false, isDumbTerminal: false, isInsideDirWithUnusualChars: false, isFreeBSD: false, isIBMi: false, isLinux: process.platform === 'linux',
  isMacOS: false, isMainThread: true, isOpenBSD: false, isPi: false, isRiscv64: false, isSunOS: false, isWindows: false, localhostIPv4: '127.0.0.1', mustCall, mustCallAtLeast, mustNotCall,
  mustNotMutateObjectDeep, mustSucceed, platformTimeout: (time) => time, PORT: 12346, printSkipMessage, runWithInvalidFD, skip, skipIf32Bits: noop, skipIfDumbTerminal: noop,
  skipIfEslintMissing: noop, spawnPromisified: () => skip('there are no processes'), skipIfInspectorDisabled: () => skip('there is no inspector'), skipIfWorker: noop,
};
