// assert.deepEqual and util.isDeepStrictEqual over arrays, typed arrays and their other keys
const assert = require('assert');
const { isDeepStrictEqual } = require('util');
const withKey = (array, key, value) => Object.assign(array, { [key]: value });
const hidden = (array) => Object.defineProperty(array, 'hidden', { value: Math.random() });
const symbol = Symbol('key');
const pairs = [
  [[1, 2, [3]], [1, 2, [3]]], [[1, '2'], ['1', 2]], [[1], [2]], [[], []], [[, 1], [undefined, 1]], [[1, 2], [1, 2, 3]], [hidden([1]), hidden([1])],
  [withKey([1], 'x', 1), withKey([1], 'x', 1)], [withKey([1], 'x', 1), withKey([1], 'x', 2)], [withKey([1], 'x', 1), [1]],
  [withKey([1], symbol, 1), withKey([1], symbol, 2)], [withKey([1], symbol, 1), [1]], [withKey([1], '-1', 1), withKey([1], '-1', '1')], [withKey([], '01', 1), []],
  [new Uint8Array([1, 2]), new Uint8Array([1, 2])], [new Uint8Array([1]), new Uint8Array([2])], [new Uint8Array([1]), new Int8Array([1])], [Buffer.from('a'), Buffer.from('a')],
  [new Float32Array([-0]), new Float32Array([0])], [[NaN], [NaN]], [[-0], [0]], [{ a: [1, { b: [2] }] }, { a: [1, { b: [2] }] }], [[[[[1]]]], [[[['1']]]]],
  [new Set([[1], [2]]), new Set([[2], [1]])], [new Map([[[1], 1]]), new Map([[[1], 1]])], [[new Date(0)], [new Date(0)]], [[/x/g], [/x/]],
];
const is = (check) => { try { check(); return true; } catch (error) { if (error.code !== 'ERR_ASSERTION') throw error; return false; } };
pairs.forEach(([one, other], at) => console.log(at, is(() => assert.deepEqual(one, other)), is(() => assert.deepStrictEqual(one, other)), isDeepStrictEqual(one, other), is(() => assert.notDeepEqual(one, other))));
