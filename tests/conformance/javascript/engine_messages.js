// errors of the engine: their names and messages, by operation
// only = "the wording of an older Node than that of the container"
const rows = `
let a; a.b
let a = null; a.b
let a = {}; a.b.c
let a = {}; a.b.c.d
let a = {}; a['b'].c
let a = []; a[0].name
let a = [], i = 3; a[i].name
let a, k = 'key'; a[k]
let a, k = 7; a[k]
let a; a[Symbol.iterator]
let a; a[Symbol('mine')]
let a; a.length
let a; a.b = 1
let a = null; a.b = 1
let a = {}; a.b.c = 1
let a; a[0] = 1
let a = null; a['x y'] = 1
let a; a.b += 1
let a; a.b++
let a; delete a.b
let a; a.b()
null.x
undefined.x
(void 0).foo
function f() { return this.x; } (function () { 'use strict'; return this.x; })()
(() => { const o = { get x() { return undefined; } }; o.x.y; })()
let foo = 1; foo()
let foo; foo()
let o = {}; o.foo()
let o = { a: {} }; o.a.foo()
let o = { a: {} }; o.a.b.c()
let o = {}; o['foo']()
let o = {}, k = 'foo'; o[k]()
let o = {}; o[0]()
let a = [1]; a[0]()
let a = [[]]; a[0][1]()
let a = [], i = 2; a[i + 1]()
let a = []; a.foo(1, 2).bar()
'abc'.foo()
'abc'.length()
(5).foo()
let f = () => 1; f()()
let f = () => ({}); f().bar()
let f = () => ({}); f(1, 2).bar.baz()
let f = () => ({ g() { return {}; } }); f().g().h()
let o = { f() { return this.nothing(); } }; o.f()
this.missing()
globalThis.missing()
missing()
missing.x
missing + 1
missing = missing + 1
typeof missing.x
'use strict'; missing = 1
Math.foo()
JSON.foo('x')
let o = {}; o?.foo()
let o = {}; o.a?.b.c(); o.x()
let o = { a: {} }; o?.a.b()
(function () {})()()
(() => {})().x
(() => null)().x
[].foo()
[1, 2].foo()
({}).foo()
({ a: 1 }).foo()
/x/.foo()
/x/()
'text'()
5()
null()
undefined()
true()
new Date().foo()
new (class A {})().foo()
new Map().foo()
async function f() {} f().foo()
let o = {}; o.a.b.c()
let o = {}; new o.Foo()
let Foo = 1; new Foo()
let Foo; new Foo()
new missing()
let f = () => {}; new f()
let o = { m() {} }; new o.m()
new (async function f() {})()
new Math.max()
new 5()
new (function* g() {})()
new Symbol()
new BigInt(1)
class A {} A()
let A = class {}; A()
let A = class Named {}; A.call({})
let o = { A: class {} }; o.A()
Map()
new Map([1])
new Map(5)
new Set(5)
new Set({})
new WeakMap().set(1, 1)
new WeakSet().add(1)
Promise()
new Promise()
new Promise(5)
Symbol() + ''
+Symbol()
Symbol('x') + 1
Uint8Array(5)
const x = 1; x = 2
const x = 1; x++
const x = 1; x += 1
const x = {}; (() => { x = 1; })()
for (const i = 0; i < 2; i++) {}
x; let x = 1
x = 1; let x
(() => y)(); let y = 1
typeof z; let z
new A(); class A {}
function f(a = b, b) {} f()
class A extends B {} class B {}
class A extends undefined {}
let B = {}; class A extends B {}
class A { constructor() { this.x; } } class B extends A { constructor() { this.x = 1; } } new B()
class A {} class B extends A { constructor() {} } new B()
class A {} class B extends A { constructor() { super(); super(); } } new B()
class A {} class B extends A { constructor() { return 1; } } new B()
class A { #x = 1; static get(o) { return o.#x; } } A.get({})
class A { #x = 1; static set(o) { o.#x = 2; } } A.set({})
class A { #x = 1; f() { this.#x(); } } new A().f()
class A { get x() { return 1; } } 'use strict'; let a = new A(); (function () { 'use strict'; a.x = 2; })()
class A { get x() { return 1; } f() { this.x = 2; } } new A().f()
class A { m() { return super.foo(); } } new A().m()
const [a] = undefined
const [a] = null
const [a] = 5
const [a] = {}
let o = {}; const [a] = o
let o = {}; const [a] = o.b
const { a } = undefined
const { a } = null
let b; const { a } = b
let b = null; const { a, c } = b
let o = {}; const { a } = o.b
let o = {}; const { a: { b } } = o
let o = { f() {} }; const { a } = o.f()
let o = {}, k = 'key'; const { [k]: a } = o.b
let o; const { ...a } = o
let o = null; const {} = o
let a, o; ({ a } = o)
function f({ a }) {} f()
function f({ a, b }) {} f(null)
function f({ a: { b } }) {} f({})
function f([a]) {} f()
const f = ({ a }) => a; f()
const f = (x, { a }) => a; f(1)
for (const { a } of [undefined]) {}
for (const [a] of [1]) {}
for (const [k, v] of { a: 1 }) {}
for (const x of 5) {}
for (const x of undefined) {}
let o = {}; for (const x of o) {}
let o = {}; for (const x of o.list) {}
let o = {}; [...o]
let o; [...o]
[...5]
[...undefined]
[...{}.x]
let f = () => {}; f(...5)
let f = () => {}; f(...undefined)
let f = () => {}, o = {}; f(...o)
Math.max(...5)
Math.max(...undefined)
new Date(...5)
new Set(...5)
Array.from(5, 5)
Object.fromEntries(5)
Object.fromEntries([1])
Object.entries(undefined)
Object.keys(null)
Object.assign(null)
Object.create(1)
Object.create()
Object.defineProperty(1, 'x', {})
Object.defineProperty({}, 'x', 1)
Object.defineProperty({}, 'x', { get: 1 })
Object.defineProperty({}, 'x', { get() {}, value: 1 })
Object.defineProperty(Object.freeze({}), 'x', { value: 1 })
let o = Object.defineProperty({}, 'x', { value: 1 }); Object.defineProperty(o, 'x', { value: 2 })
Object.setPrototypeOf({}, 1)
Object.setPrototypeOf(undefined, {})
let a = {}, b = Object.create(a); Object.setPrototypeOf(a, b)
'use strict'; const o = Object.freeze({ x: 1 }); o.x = 2
'use strict'; const o = Object.freeze({ x: 1 }); o.y = 2
'use strict'; const o = Object.freeze({ x: 1 }); delete o.x
'use strict'; const o = Object.freeze([1]); o[0] = 2
'use strict'; const o = Object.freeze([1]); o.push(2)
'use strict'; Object.freeze([1]).pop()
'use strict'; Object.freeze([2, 1]).sort()
'use strict'; const o = Object.freeze([1]); o.length = 0
'use strict'; const o = Object.seal({ x: 1 }); o.y = 2
'use strict'; const o = Object.preventExtensions([]); o[0] = 2
'use strict'; const o = { get x() { return 1; } }; o.x = 2
'use strict'; class P {} const o = Object.freeze(new P()); o.x = 2
'use strict'; 'abc'.x = 1
'use strict'; (5).x = 1
'use strict'; 'abc'.length = 1
'use strict'; true.x = 1
'use strict'; undefined = 1
'use strict'; NaN = 1
'use strict'; Math.PI = 3
'use strict'; (function f() { f = 1; })()
'use strict'; delete Object.prototype
'use strict'; delete [].length
1n + 1
1n * 1.5
1n < Symbol()
+1n
Math.max(1n)
Number.parseFloat(1n) + 1n
1n / 0n
1n >>> 0n
BigInt(1.5)
BigInt(NaN)
BigInt('x')
BigInt(undefined)
BigInt(Symbol())
BigInt({})
JSON.parse('{bad}')
JSON.parse('')
new Array(-1)
new Array(1.5)
[].length = -1
let a = []; a.length = 1.5
[].reduce((x, y) => x)
[].reduceRight((x, y) => x)
[].reduce()
[1].map()
[1].map(5)
[1].forEach({})
[1].forEach({ a: 1 })
[1].filter('x')
[1].find(null)
[1].some([])
[1].every(/x/)
[1, 2].reduce(undefined)
[1, 2].sort('x')
[1].flatMap(1)
[3].findLast(Symbol('s'))
[1].at(Symbol())
[1].map(class A {})
[1].toSorted(5)
[1].with(5, 1)
Array.prototype.map.call(undefined, x => x)
Array.prototype.forEach.call(null)
[].concat.call(undefined)
new Map().forEach(5)
Map.prototype.get.call({}, 1)
Set.prototype.has.call([], 1)
Map.prototype.set.call(undefined, 1)
Object.getOwnPropertyDescriptor(Map.prototype, 'size').get.call({})
new Map().entries().next.call({})
Object.groupBy(5, x => x)
'x'.repeat(-1)
'x'.repeat(Infinity)
'x'.repeat(2 ** 30)
'x'.padEnd(2 ** 30)
'x'.normalize('bad')
'x'.startsWith(/x/)
'x'.includes(/x/)
'x'.endsWith(/x/)
'x'.matchAll(/x/)
'x'.replaceAll(/x/, '')
String.prototype.trim.call(undefined)
String.prototype.at.call(null)
String.fromCodePoint(-1)
String.fromCodePoint(1.5)
String.raw()
'x'.localeCompare(Symbol())
(1).toFixed(101)
(1).toFixed(-1)
(1).toPrecision(0)
(1).toPrecision(101)
(1).toExponential(-1)
(1).toExponential(101)
(1).toString(1)
(1).toString(37)
Number.prototype.toFixed.call('x')
Number.prototype.toString.call('x')
Boolean.prototype.valueOf.call(1)
String.prototype.toString.call(1)
Symbol.prototype.toString.call(1)
BigInt.prototype.toString.call(1)
Date.prototype.getTime.call({})
new Date(NaN).toISOString()
RegExp.prototype.exec.call({})
RegExp.prototype.test.call(1)
new RegExp('(')
new RegExp('[')
new RegExp('a**')
new RegExp('?')
new RegExp('x', 'zz')
new RegExp('x', 'gg')
new RegExp('(?<a>x)(?<a>y)')
new RegExp('(?<n')
new RegExp('[b-a]')
new RegExp('a{2,1}')
new RegExp('{1}', 'u')
new RegExp(')')
new RegExp('(?:')
new RegExp('(?a)')
decodeURIComponent('%')
decodeURI('%E0%A4%A')
({}) instanceof 5
({}) instanceof {}
({}) instanceof undefined
let f = () => {}; ({}) instanceof f
'a' in 'b'
'a' in 5
let k = 'key', o; k in o
0 in undefined
Symbol('s') in 5
Function.prototype.apply.call(() => {}, null, 5)
(() => {}).apply(null, 'x')
Reflect.construct(5, [])
Reflect.construct(() => {}, [])
new Proxy({}, 1)
new Proxy(1, {})
Proxy({}, {})
new ArrayBuffer(-1)
new Uint8Array(-1)
new Uint16Array(new ArrayBuffer(3))
new Uint16Array(new ArrayBuffer(4), 1)
new Uint8Array(new ArrayBuffer(4), 5)
new Uint8Array(new ArrayBuffer(4), 1, 9)
new Uint8Array(2).set([1, 2, 3])
new Uint8Array(1n)
new BigInt64Array([1])
Uint8Array.prototype.fill.call([])
new DataView(new ArrayBuffer(1), 2)
new DataView(new ArrayBuffer(1)).getInt16(0)
new DataView(new ArrayBuffer(1)).getInt8(-1)
let g = (function* () { g.next(); })(); g.next()
let g = (function* () {})(); g.throw(new Error('own'))
let it = { [Symbol.iterator]() { return 1; } }; [...it]
let it = { [Symbol.iterator]: 5 }; [...it]
let it = { [Symbol.iterator]() { return { next() { return 1; } }; } }; [...it]
let it = { [Symbol.iterator]() { return { next() { return 1; } }; } }; for (const x of it) {}
({ toString() { return {}; }, valueOf() { return {}; } }) + ''
({ [Symbol.toPrimitive]: 5 }) + ''
({ [Symbol.toPrimitive]() { return {}; } }) + ''
Object.create(null) + ''
String(Object.create(null))
Number(Object.create(null))
[Symbol('x')].join()
[].values().reduce((a, b) => a)
new AggregateError(5)
JSON.stringify(1n)
let o = {}; o.o = o; JSON.stringify(o)
`.trim().split('\n');
for (const row of rows) {
  try {
    new Function(row)();
    if (!row.includes(';')) new Function(`return (${row}\n)`)();
    console.log(row, '=> nothing');
  } catch (error) { console.log(row, '=>', `${error.name}: ${error.message}`); }
}
