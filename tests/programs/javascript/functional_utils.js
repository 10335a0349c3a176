// functional helpers: compose, curry, memoize, debounce, throttle, pipe, lazy sequences
const pipe = (...fns) => (x) => fns.reduce((v, f) => f(v), x);
const curry = (fn) => function curried(...args) { return args.length >= fn.length ? fn.apply(this, args) : (...more) => curried.apply(this, [...args, ...more]); };
const memoize = (fn, cache = new Map()) => (...args) => { const key = JSON.stringify(args); if (!cache.has(key)) cache.set(key, fn(...args)); return cache.get(key); };
const debounce = (fn, wait) => { let timer; return (...args) => { clearTimeout(timer); timer = setTimeout(fn, wait, ...args); }; };
const once = (fn) => { let done = false, value; return (...args) => (done ? value : ((done = true), (value = fn(...args)))); };
const range = function* (start, end, step = 1) { for (let i = start; step > 0 ? i < end : i > end; i += step) yield i; };
class Lazy {
  constructor(source) { this.source = source; }
  static from(iterable) { return new Lazy(iterable); }
  *[Symbol.iterator]() { yield* this.source; }
  map(f) { const { source } = this; return new Lazy((function* () { for (const x of source) yield f(x); })()); }
  filter(f) { const { source } = this; return new Lazy((function* () { for (const x of source) if (f(x)) yield x; })()); }
  take(n) { const { source } = this; return new Lazy((function* () { let i = 0; if (n > 0) for (const x of source) { yield x; if (++i >= n) return; } })()); }
}
const naturals = function* () { for (let n = 1; ; n++) yield n; };
const chunk = (items, size) => Array.from({ length: Math.ceil(items.length / size) }, (_, i) => items.slice(i * size, i * size + size));
const zip = (...arrays) => Array.from({ length: Math.min(...arrays.map((a) => a.length)) }, (_, i) => arrays.map((a) => a[i]));
const unique = (items, key = (x) => x) => [...new Map(items.map((x) => [key(x), x])).values()];
const partition = (items, test) => items.reduce(([a, b], x) => (test(x) ? [[...a, x], b] : [a, [...b, x]]), [[], []]);

console.log(pipe((x) => x + 1, (x) => x * 2, String, (s) => s.padStart(4, '0'))(20));
console.log(curry((a, b, c) => a + b + c)(1)(2, 3), [1, 2, 3].map(curry((a, b) => a * b)(10)));
let calls = 0;
const slow = memoize((n) => { calls++; return n ** 2; });
console.log(slow(4), slow(4), slow(5), calls, once(() => ++calls)(), [...range(0, 10, 3)], [...range(5, 0, -2)]);
console.log([...Lazy.from(naturals()).filter((n) => n % 3 === 0).map((n) => n * n).take(4)]);
console.log(chunk([1, 2, 3, 4, 5], 2), zip([1, 2, 3], 'ab', [true, false]), unique([{ id: 1 }, { id: 2 }, { id: 1, x: 1 }], (o) => o.id), partition([1, 2, 3, 4], (n) => n % 2));
console.log([[1, [2]], [3, [4, [5]]]].flat(), [[1, [2, [3, [4]]]]].flat(Infinity), ['a b', 'c'].flatMap((s) => s.split(' ')), [3, 1, 2].toSpliced(1, 1, 'x', 'y'), Array.of(7), [1, 2, 3, 4].copyWithin(0, 2), Array(3).fill().map((_, i) => i), [1, 2, 3].includes(NaN), [NaN].includes(NaN), [1, 2, 3].findLast((n) => n < 3), [1, 2, 3].reduceRight((a, b) => a + '-' + b), [..."héllo"].entries().next());
console.log(Object.entries({ x: 1, y: 2 }).map(([k, v]) => k + v), Object.assign({}, { a: 1 }, null, { b: 2 }), { ...'hi', ...[9] }, Object.is(NaN, NaN), Object.keys('ab'), Object.hasOwn({ k: 1 }, 'k'), naturals().take?.(2)?.toArray(), [1, 2, 3].values().map?.((x) => x * 2).toArray());
const log = [];
const save = debounce((x) => log.push(x), 5);
save(1); save(2); save(3);
setTimeout(() => console.log('debounced', log), 20);
const trampoline = (f) => (...args) => { let r = f(...args); while (typeof r === 'function') r = r(); return r; };
const sum = trampoline((n, total = 0) => (n === 0 ? total : () => sum.step(n - 1, total + n)));
sum.step = (n, total) => (n === 0 ? total : () => sum.step(n - 1, total + n));
console.log(sum(20000), new Set([1, 2, 3]).union?.(new Set([4])), new Set([1, 2]).isSubsetOf?.(new Set([1, 2, 3])), new Set([1, 2, 3]).intersection?.(new Set([2, 9])));
const observable = (target, changed) => new Proxy(target, { set(o, k, v) { changed(k, o[k], v); o[k] = v; return true; }, deleteProperty(o, k) { changed(k, o[k]); return delete o[k]; }, has: (o, k) => k.startsWith('x') || k in o, get: (o, k, r) => (k in o ? Reflect.get(o, k, r) : `no ${String(k)}`) });
const seen = observable({ a: 1 }, (...args) => log.push(args.join()));
seen.a = 2; seen.b = 3; delete seen.a;
console.log(log, 'xyz' in seen, 'q' in seen, seen.b, seen.zzz);
