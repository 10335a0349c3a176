// errors of the engine: which expression they name
// only = "the wording of an older Node than that of the container"
const rows = `
let x = 1; ({a: x}).foo()
let x = 1; ({a: x, b: 2}).foo()
let x = 1; ({a: x, b: {}}).foo()
let o = {a:1}; o.a?.()
let o = {a:1}; o?.['a']()
let o = {a:1}; (-o)()
let o = {a:1}; (!o)()
let o = {a:1}; (typeof o)()
let o = {a:1}; (o.a + o.b)()
let o = {a:1}; (o.a == o.b)()
let o = {a:1}; (o instanceof Object)()
let o = {a:1}; ('a' in o)()
let o = {a:1}; o.a++()
let o = {a:1}; [o, o.a, 1, 'x'].foo()
let o = {a:1}; (() => 1).foo()
let o = {a:1}; (function f() {}).foo()
let o = {a:1}; /x/gi.foo()
let o = {a:1}; o['x y']()
let o = {a:1}; o["it's"]()
let o = {a:1}; o[Symbol.iterator]()
let o = {a:1}; o[Symbol.iterator].foo()
let o = {a:1}; o[-1]()
let o = {a:1}; o[1.5]()
let o = {a:1}; o[o.a]()
let o = {a:1}; o[o.a()]()
let o = {a:1}; new (o.b())()
let o = {a:1}; new o.b.c()
let o = {a:1}; new o.a.c(1, 2)
let o = {a:1}; o.b(o.a ? 1 : 2, o && 3)
let o = {a:1}; const { x: y } = o.zz()
let o = {a:1}; const f = ({ a }, [b]) => a; f(o, 5)
function f({ a }, x) { } f(5); f(null, 1)
[[1]].map(([[a]]) => a)
[1].map(([a]) => a)
[undefined].map(({ a }) => a)
[null].forEach(({ a, b }) => a)
let [a, [b]] = [1]
let { a: { b: { c } } } = { a: {} }
new Map([[1, 2]]).map(x => x)
Object.keys({}).foo.bar()
let s = 'abc'; s.foo()
let s = 'abc'; s.foo.bar.baz
super_missing.foo
class A { constructor() { this.x.y } } new A()
class A { static f() { this.g() } } A.f()
class A { f() { super.g() } } new A().f()
class A extends Object { f() { super.toString.x() } } new A().f()
let f = 5; f(...[1])
let o = {f: 1}; o.f?.g.h()
let o = {f: 1}; o?.f?.()
undefined?.x.y(); null.z()
eval('1')()
import.meta
let a = 1; a.b.c()
let a = 1; a.b.c = 2
let a; [a.b] = [1]
let a; ({ x: a.b } = {x: 1})
let a = {}; a.b.c++
let a = {}; delete a.b.c
let a = {}; 'x' in a.b
let a = {}; a.b[0]
let a = {}; a?.b[0]
let a = {}; a.b?.c; a.b.c
let a = {}; for (const k in a.b.c) {}
let a = {}; for (const k of a.b.c) {}
let a = {}; switch (a.b()) {}
let a = {}; if (a.b() && a.c()) {}
let a = {}; return a.b()
let a = {}; throw a.b()
let a = {}; while (a.b()) {}
let a = {}; try { a.b() } finally { }
let a = {}; try { } finally { a.b() }
let a = {}; try { throw 1 } catch (e) { e.b() }
let a = {}; try { throw 1 } catch { a.b() }
let a = {}; label: for (;;) { for (const x of [1]) { a.b(); } }
let a = {}; for (const x of [1]) { x.foo(); }
let a = {}; for (const x of [{}]) { for (const y of [{}]) { x.y.z(); } }
let a = {}; for (const x of [{}]) { x.y(); }
let a = {}; [1].forEach(x => x.y())
let a = {}; const b = a.b(), c = 1
let a = {}; f(a.b(), 1); function f() {}
let a = {}; a.b = a.c()
let a = {}; a.b += a.c()
let a = {}; a[a.c()] = 1
let a = {}; [a.c()]
let a = {}; ({ x: a.c() })
let a = {}; (x => a.c(x))(1)
let a = { b: 1 }; a.b.c.d
let a = { b: 1 }; a.b().c.d
let a = { b: 1 }; !a.b()
let a = { b: 1 }; (yield_ => a.b())()
let a = { b: 1 }; function* g() { yield a.b() } [...g()]
`.trim().split('\n');
for (const row of rows) {
  try {
    new Function(row)();
    if (!row.includes(';')) new Function(`return (${row}\n)`)();
    console.log(row, '=> nothing');
  } catch (error) { console.log(row, '=>', `${error.name}: ${error.message}`); }
}
