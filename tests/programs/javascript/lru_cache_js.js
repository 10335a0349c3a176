// an LRU cache, a TTL cache with a fake clock, WeakMap privacy and a trie
class LRU {
  #map = new Map();
  constructor(capacity) { this.capacity = capacity; this.hits = this.misses = 0; }
  get(key) {
    if (!this.#map.has(key)) { this.misses++; return undefined; }
    const value = this.#map.get(key);
    this.#map.delete(key);
    this.#map.set(key, value);
    this.hits++;
    return value;
  }
  set(key, value) {
    this.#map.delete(key);
    this.#map.set(key, value);
    if (this.#map.size > this.capacity) { const [oldest] = this.#map.keys(); this.#map.delete(oldest); console.log('evicted', oldest); }
    return this;
  }
  toJSON() { return Object.fromEntries(this.#map); }
  *[Symbol.iterator]() { yield* this.#map; }
}
class TTL extends Map {
  constructor(ms, clock) { super(); this.ms = ms; this.clock = clock; }
  set(key, value) { return super.set(key, { value, until: this.clock() + this.ms }); }
  get(key) { const entry = super.get(key); if (!entry) return; if (entry.until < this.clock()) { this.delete(key); return; } return entry.value; }
}
const cache = new LRU(3).set('a', 1).set('b', 2).set('c', 3);
cache.get('a');
cache.set('d', 4).set('a', 10);
console.log([...cache], cache.get('b'), cache.get('d'), `${cache.hits}/${cache.misses}`, JSON.stringify(cache));
console.log(cache);
let now = 0;
const ttl = new TTL(100, () => now);
ttl.set('x', 'first');
now = 50;
console.log(ttl.get('x'), ttl.size, ttl);
now = 151;
console.log(ttl.get('x'), ttl.size, ttl);
const secrets = new WeakMap();
class Person { constructor(name) { secrets.set(this, { name, visits: 0 }); } visit() { const s = secrets.get(this); return `${s.name} #${++s.visits}`; } }
const ann = new Person('Ann');
console.log(ann.visit(), ann.visit(), ann, secrets.has(ann), secrets);
class Trie {
  root = {};
  insert(word) { let node = this.root; for (const c of word) node = node[c] ??= {}; node.$ = true; return this; }
  *find(prefix) { let node = this.root; for (const c of prefix) if (!(node = node[c])) return; yield* this.#walk(node, prefix); }
  *#walk(node, word) { if (node.$) yield word; for (const [c, child] of Object.entries(node)) if (c !== '$') yield* this.#walk(child, word + c); }
}
const trie = ['car', 'card', 'care', 'cat', 'dog'].reduce((t, w) => t.insert(w), new Trie());
console.log([...trie.find('car')], [...trie.find('x')], trie.root);
class LinkedList {
  constructor(...values) { this.head = values.reduceRight((next, value) => ({ value, next }), null); }
  *[Symbol.iterator]() { for (let n = this.head; n; n = n.next) yield n.value; }
  reverse() { let previous = null; for (let n = this.head; n;) { const { next } = n; n.next = previous; previous = n; n = next; } this.head = previous; return this; }
}
const list = new LinkedList(1, 2, 3, 4);
console.log(list, [...list.reverse()], new LinkedList());
const stack = [1, 2]; stack.push(3); const queue = [1, 2]; queue.unshift(0);
console.log(stack.pop(), queue.shift(), stack, queue, Object.fromEntries(new Map([['k', [1]]])), new Map(Object.entries({ z: 1 })).get('z'));
const matrix = Array.from({ length: 3 }, (_, i) => Array.from({ length: 3 }, (_, j) => i * 3 + j));
console.log(matrix, matrix[0].map((_, c) => matrix.map((r) => r[c])), matrix.map((r) => r.join('\t')).join('\n'));
