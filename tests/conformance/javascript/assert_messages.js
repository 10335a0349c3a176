// assert: the whole text of failures
// only = "the wording of an older Node than that of the container"
const assert = require('assert');
const t = (f) => { try { f(); console.log('ok'); } catch (e) { console.log(e.message); console.log('--', e.name, e.code, e.generatedMessage, e.operator); } };
t(() => assert.deepStrictEqual([1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30], [1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,31]));
t(() => assert.strictEqual('hello', 'world'));
t(() => assert.strictEqual('a\nb', 'a\nc'));
t(() => assert.strictEqual({ a: 1 }, { a: 1 }));
t(() => assert.deepStrictEqual({ a: 1, b: { c: [1, 2] } }, { a: 1, b: { c: [1, 3] } }));
t(() => assert.deepStrictEqual(1, '1'));
t(() => assert.deepStrictEqual(new Map([['a', 1]]), new Map([['a', 2]])));
t(() => assert.deepStrictEqual([1], { 0: 1 }));
t(() => assert.equal('a'.repeat(50), 'b'.repeat(50)));
t(() => assert.equal(null, undefined));
t(() => assert.equal([1], [1]));
t(() => assert.notStrictEqual('x', 'x'));
t(() => assert.deepEqual([1, 2, [3]], [1, 2, [4]]));
t(() => assert(false));
t(() => assert.ok(null));
t(() => assert());
t(() => assert.throws(() => { throw new Error('abc'); }, { message: 'abd', name: 'Error' }));
t(() => assert.throws(() => { throw 'str'; }, /x/));
t(() => assert.throws(() => { throw null; }, TypeError));
t(() => assert.rejects);
t(() => assert.strictEqual(NaN, 0));
t(() => assert.strictEqual(undefined, null));
t(() => assert.strictEqual(1, 2, new TypeError('own error')));
t(() => assert.match(5, /x/));
