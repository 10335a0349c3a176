// assert: what passes, what fails, and what a failure says
const assert = require('assert');
const strict = require('assert/strict');
const tell = (check) => {
  try { check(); console.log('passed'); } catch (error) { console.log(error.name, error.code, error.operator, error.generatedMessage, '|', error.message.split('\n')[0]); }
};
const tellAll = async () => {
  tell(() => assert(true)); tell(() => assert.ok(1, 'x')); tell(() => assert(0, 'is zero')); tell(() => assert.equal(1, '1')); tell(() => strict.equal(1, '1'));
  tell(() => assert.strictEqual(1, 2)); tell(() => assert.strictEqual(1, 2, 'own text')); tell(() => assert.notStrictEqual(1, 1)); tell(() => assert.notEqual(1, 1));
  tell(() => assert.deepEqual({ a: 1 }, { a: '1' })); tell(() => assert.deepStrictEqual({ a: 1 }, { a: '1' })); tell(() => assert.deepStrictEqual([1, [2]], [1, [2]]));
  tell(() => assert.notDeepStrictEqual({ a: 1 }, { a: 1 })); tell(() => assert.notDeepEqual([1], [2])); tell(() => assert.match('abc', /b/)); tell(() => assert.match('abc', /x/)); tell(() => assert.doesNotMatch('abc', /b/));
  tell(() => assert.fail()); tell(() => assert.fail('own')); tell(() => assert.ifError(null)); tell(() => assert.ifError(new Error('bad')));
  const boom = () => { throw new TypeError('bad input'); };
  tell(() => assert.throws(boom)); tell(() => assert.throws(boom, TypeError)); tell(() => assert.throws(boom, /input/)); tell(() => assert.throws(boom, { name: 'TypeError', message: 'bad input' }));
  tell(() => assert.throws(boom, { message: /bad/ })); tell(() => assert.throws(boom, (error) => error instanceof TypeError)); tell(() => assert.throws(boom, new TypeError('bad input')));
  tell(() => assert.throws(boom, RangeError)); tell(() => assert.throws(boom, /other/)); tell(() => assert.throws(boom, { message: 'other' })); tell(() => assert.throws(boom, () => false));
  tell(() => assert.throws(() => {})); tell(() => assert.throws(() => {}, TypeError)); tell(() => assert.throws(() => {}, 'should throw')); tell(() => assert.throws('x'));
  tell(() => assert.doesNotThrow(() => {})); tell(() => assert.doesNotThrow(boom));
  for (const make of [() => assert.rejects(Promise.reject(new Error('r'))), () => assert.rejects(async () => { throw new RangeError('r'); }, RangeError), () => assert.rejects(async () => 1), () => assert.rejects(Promise.reject(new Error('r')), { message: 'q' }), () => assert.rejects(() => 1), () => assert.doesNotReject(async () => 1), () => assert.doesNotReject(async () => { throw new Error('x'); })]) {
    await make().then(() => console.log('passed'), (error) => console.log(error.name, error.code, '|', error.message.split('\n')[0]));
  }
  const error = new assert.AssertionError({ actual: 1, expected: 2, operator: 'strictEqual' });
  console.log(error.message.split('\n')[0], error.actual, error.expected, error instanceof Error, Object.keys(error).slice(0, 5));
  tell(() => assert.equal(NaN, NaN)); tell(() => assert.deepEqual(new Set([1, 2]), new Set([2, 1]))); tell(() => assert.deepStrictEqual(new Map([[1, {}]]), new Map([[1, {}]]))); tell(() => assert.deepStrictEqual(new Date(0), new Date(1))); tell(() => assert.strictEqual(1));
  console.log(assert.strict === strict, strict.deepEqual === assert.deepStrictEqual);
  try { assert.deepStrictEqual({ a: 1, b: [1, 2] }, { a: 1, b: [1, 3] }); } catch (error) { console.log(error.message.trimEnd()); }
};
tellAll();
