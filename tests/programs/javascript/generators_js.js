// generators and iterators: delegation, two-way values, trees, permutations
function* fibonacci() { let [a, b] = [0n, 1n]; for (;;) { yield a; [a, b] = [b, a + b]; } }
function* take(n, iterable) { let i = 0; for (const value of iterable) { if (i++ >= n) return 'cut'; yield value; } }
function* permutations(items) {
  if (!items.length) yield [];
  for (let i = 0; i < items.length; i++) for (const rest of permutations(items.toSpliced(i, 1))) yield [items[i], ...rest];
}
function* combinations(items, k, start = 0, chosen = []) {
  if (chosen.length === k) { yield chosen; return; }
  for (let i = start; i < items.length; i++) yield* combinations(items, k, i + 1, [...chosen, items[i]]);
}
class Tree {
  constructor(value, left, right) { Object.assign(this, { value, left, right }); }
  static of([value, ...rest]) { const tree = new Tree(value); rest.forEach((v) => tree.insert(v)); return tree; }
  insert(value) { const side = value < this.value ? 'left' : 'right'; this[side] ? this[side].insert(value) : (this[side] = new Tree(value)); }
  *[Symbol.iterator]() { if (this.left) yield* this.left; yield this.value; if (this.right) yield* this.right; }
  *levels() { let level = [this]; while (level.length) { yield level.map((t) => t.value); level = level.flatMap((t) => [t.left, t.right].filter(Boolean)); } }
}
function* accumulator() {
  let total = 0;
  while (true) {
    try {
      const value = yield total;
      if (value === undefined) return `final ${total}`;
      total += value;
    } catch (error) {
      console.log('caught inside:', error.message);
      total = 0;
    } finally {
      if (total > 100) console.log('large');
    }
  }
}
console.log([...take(15, fibonacci())], [...take(100, fibonacci())].at(-1));
console.log([...permutations(['a', 'b', 'c'])].map((p) => p.join('')), [...permutations([1, 2, 3, 4, 5])].length);
console.log([...combinations([1, 2, 3, 4], 2)].join(' | '));
const tree = Tree.of([8, 3, 10, 1, 6, 14, 4, 7, 13]);
console.log([...tree], [...tree.levels()], Math.max(...tree));
console.log(Tree.of([2, 1, 3]));
const sum = accumulator();
console.log(sum.next(), sum.next(5), sum.next(100), sum.throw(new Error('reset')), sum.next(1), sum.next(), sum.next(9));
const closing = accumulator();
closing.next();
console.log(closing.return('early'), closing.next());
const delegated = (function* () { const result = yield* take(2, [1, 2, 3]); yield `returned ${result}`; })();
console.log([...delegated], Object.prototype.toString.call(fibonacci()), typeof fibonacci().next, fibonacci()[Symbol.iterator]().next());
const entries = Object.entries({ a: 1, b: 2 })[Symbol.iterator]();
for (const [k, v] of entries) console.log(k, v);
const iterator = { i: 0, next() { return { done: this.i >= 3, value: this.i++ }; }, [Symbol.iterator]() { return this; } };
console.log(Array.from(iterator), [...'añ😀'], Math.max(...new Set([3, 9, 2])), new Map(take(2, [['k', 1], ['l', 2], ['m', 3]])));
const primes = function* () { const found = []; for (let n = 2; ; n++) if (found.every((p) => n % p)) { found.push(n); yield n; } };
console.log([...take(20, primes())].join(','));
