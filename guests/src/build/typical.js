//! Typical program: which functions and heap blocks do programs use?
class Shape {
  #name;
  constructor(name, sides) { this.#name = name; this.sides = sides; }
  get name() { return this.#name; }
  toString() { return `${this.#name} with ${this.sides} sides`; }
}
class Square extends Shape {
  static of(length) { return new Square(length); }
  constructor(length) { super('square', 4); this.length = length; }
  area() { return this.length ** 2; }
}
const shapes = [1, 2, 3].map((length) => Square.of(length));
console.log(`${shapes[0]}`, shapes.map((shape) => shape.area()), { shapes, when: new Date(0) });

const words = 'the quick brown fox jumps over the lazy dog the end'.split(' ');
const counts = new Map();
for (const word of words) counts.set(word, (counts.get(word) ?? 0) + 1);
const [most, times] = [...counts].sort(([, a], [, b]) => b - a)[0];
console.log(most, times, new Set(words).size, /(\w+)@(\w+)\.com/.exec('me@example.com')?.slice(1));

const text = JSON.stringify({ a: [1, 2.5, null, true], b: { c: 'd' } }, null, 2);
const { a, ...rest } = JSON.parse(text);
console.log(Object.entries(rest), Math.max(...a.filter(Number.isFinite)), parseInt('42', 10).toString(2), (1234.5678).toFixed(2));

function* evens(limit) { for (let i = 0; i < limit; i += 2) yield i; }
console.log([...evens(10)].reduce((sum, value) => sum + value, 0), 10n ** 20n, 'x'.padStart(3).trim().toUpperCase());

try {
  null.property;
} catch (error) {
  console.error(error instanceof TypeError, error.message, error.stack.length > 0);
}

const wait = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));
const fetchAll = async (names) => Promise.all(names.map(async (name) => { await wait(0); return name.length; }));
const lengths = await fetchAll(['one', 'three']);
console.log(lengths, new Uint8Array([1, 2, 3]).reduce((sum, value) => sum + value));
lengths.length;
