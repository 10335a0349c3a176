// console.log of many kinds of values
class Animal { #secret = 1; constructor(name) { this.name = name; } get loud() { return true; } static kind = 'animal'; speak() {} }
class Dog extends Animal { tricks = ['sit', 'roll']; }
const circular = { name: 'loop' };
circular.self = circular;
circular.list = [circular, { circular }];
console.log(new Animal('cat'), new Dog('rex'), Animal, Dog, [Animal], { Animal, f() {}, g: () => 1, async h() {}, *i() {} });
console.log(circular);
console.log({ a: { b: { c: { d: 1 } } } }, [[[[1]]]], { deep: [{ x: { y: { z: 1 } } }] });
console.log([1, 'two', null, undefined, true, 3n, Symbol('s'), NaN, -0, Infinity, 1e21, 1e-7, 0xff], ['it\'s', "say \"hi\"", `both ' and "`, 'new\nline']);
console.log('text', 'a\tb', { text: 'a\tb\n\\', empty: '', key_1: 1, 'key-2': 2, 3: 'three', [Symbol('sym')]: 4 });
console.log(new Map([['a', 1], [{ k: 1 }, [2]]]), new Set(['x', 1, { y: 2 }]), new WeakMap(), new WeakSet(), [new Map(), new Set()]);
console.log([1, , 3], [, ,], new Array(5), Object.assign([1, 2], { extra: 'e' }), [undefined, , null]);
console.log(Array.from({ length: 120 }, (_, i) => i));
console.log(Array.from({ length: 30 }, (_, i) => 'item number ' + i));
console.log(new Date(0), [new Date(86400000)], new Date(NaN), /a\/b/gi, new Error('message only').message, { re: /x/ });
console.log(Buffer.from('hello'), new Uint8Array([1, 2, 300]), new Float64Array(2), new ArrayBuffer(4), new DataView(new ArrayBuffer(2)));
console.log(Promise.resolve(5), Promise.reject(new Error('x')).catch(() => {}) && 'ok', new Promise(() => {}), (async () => 1)());
console.log(function named(a, b) {}, () => {}, Math.max, class {}, class A { static x = 1 }, Object.create(null), Object.create({ inherited: 1 }), new (class Foo { constructor() { this.x = 1; } })());
console.log({ get a() { return 1; }, set a(v) {}, get b() { return 2; }, set c(v) {} }, Object.freeze({ frozen: 1 }), new Proxy({ p: 1 }, {}), globalThis === global);
console.log('%s is %d years and %i, %f, %j %o %O %%', 'Bob', 42.5, 42.9, '1.5', { j: 1 }, [1], { o: { p: { q: {} } } }, 'extra', { more: 1 });
console.log('%c styled', 'color: red', '%s', 'no format', 5, '%d', '7');
console.log([['a', 1], ['b', 2]], { x: 1, y: { z: [1, 2, { w: 3 }] } }, [{ id: 1, name: 'one' }, { id: 2, name: 'two' }]);
console.log({ longPropertyNameNumberOne: 'some long value here', longPropertyNameNumberTwo: 'another long value', third: [1, 2, 3] });
console.log(new Map([['config', { debug: true, levels: ['info', 'warn'], nested: new Map([['k', new Set([1])]]) }]]));
console.log([1.5, 2.25, 100, -3], ['a', 'b'].entries(), [1, 2][Symbol.iterator](), new Map([[1, 2]]).keys(), 'abc'[Symbol.iterator](), (function* () {})());
console.log(new Number(5), new String('str'), new Boolean(false), Object(Symbol('boxed')), Object(10n), [new Number(1)]);
console.log(process.argv.length, typeof process.env, [function () {}, class X extends Dog {}], { undefined, null: null }, JSON, Math, Reflect, Atomics === undefined);
class Money { constructor(n) { this.n = n; } [Symbol.toPrimitive](hint) { return hint === 'number' ? this.n : `$${this.n}`; } get [Symbol.toStringTag]() { return 'Cash'; } toString() { return 'money'; } [Symbol.for('nodejs.util.inspect.custom')](depth, options) { return `Money<${this.n}>`; } }
console.log(new Money(5), `${new Money(5)}`, +new Money(5) + 1, [new Money(1)], String(Object.prototype.toString.call(new Money(1))));
console.log('a'.repeat(200).length, ['x'.repeat(90)], { s: 'y'.repeat(120) });
console.log(-0, [-0], 0 === -0, Object.is(0, -0), [1, 2, 3].toString(), String([1, [2, 3]]), String({}), `${[]}`, [] + {}, [null] + '', typeof null);
