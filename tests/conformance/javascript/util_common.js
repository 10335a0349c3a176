// util: what programs commonly import
// stderr = ["DeprecationWarning: old() is deprecated"]
const util = require('util');
const { promisify, callbackify, inherits, isDeepStrictEqual, stripVTControlCharacters, deprecate, types, format, inspect, TextEncoder, TextDecoder } = util;
(async () => {
  const add = promisify((a, b, callback) => callback(null, a + b));
  console.log(await add(1, 2), add.name, promisify(setTimeout) === require('timers/promises').setTimeout);
  try { await promisify((callback) => callback(new Error('no')))(); } catch (error) { console.log(error.message); }
  callbackify(async (value) => value * 2)(21, (error, value) => console.log(error, value));
  callbackify(async () => { throw null; })((error) => console.log(error.code));
  await new Promise((resolve) => setTimeout(resolve, 1));
  function Old(name) { this.name = name; }
  Old.prototype.hello = function () { return `hello ${this.name}`; };
  function New(name) { Old.call(this, name); }
  inherits(New, Old);
  console.log(new New('x').hello(), New.super_ === Old);
  console.log(isDeepStrictEqual({ a: [1, new Map([[1, { b: 2 }]])] }, { a: [1, new Map([[1, { b: 2 }]])] }), isDeepStrictEqual([1], ['1']));
  console.log(stripVTControlCharacters('\u001b[31mred\u001b[39m \u001b]8;;http://x\u0007link\u001b]8;;\u0007'));
  const old = deprecate((value) => value + 1, 'old() is deprecated', 'DEP_X');
  console.log(old(1), old(2));
  console.log(types.isDate(new Date()), types.isRegExp({}), types.isPromise(Promise.resolve()), types.isTypedArray(new Int8Array(1)), types.isInt8Array(new Int8Array(1)), types.isNumberObject(Object(1)), types.isStringObject('x'), types.isAsyncFunction(async () => {}), types.isMapIterator(new Map().keys()));
  console.log(format('%s %d %i %f %j %o %O %%', 'a', 1.5, 1.5, '2.5', { a: 1 }, [1], { b: 2 }), inspect({ a: { b: { c: {} } } }, { depth: 0 }));
  console.log(new TextDecoder().decode(new TextEncoder().encode('é')), util.toUSVString('\ud800'), util.debuglog('x').enabled);
  console.log(inspect.colors.red, inspect.styles.number, util.inspect.custom === Symbol.for('nodejs.util.inspect.custom'));
  for (const call of [() => promisify(1), () => inherits(1, 2), () => stripVTControlCharacters(1), () => callbackify(1)]) try { call(); } catch (error) { console.log(error.code); }
})();
