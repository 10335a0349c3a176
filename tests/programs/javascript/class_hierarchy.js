// classes: private fields, static blocks, getters, mixins, iterators, symbols
class Shape {
  static #count = 0;
  static registry = new Map();
  static { this.registry.set('shape', this); }
  static get count() { return Shape.#count; }
  static create(kind, ...args) { return new (this.registry.get(kind) ?? Shape)(...args); }
  constructor(name = new.target.name) { this.name = name; Shape.#count++; }
  area() { throw new Error(`${this.constructor.name} has no area`); }
  toString() { return `${this.name}(${this.area().toFixed(2)})`; }
  toJSON() { return { kind: this.constructor.name, area: +this.area().toFixed(3) }; }
  static [Symbol.hasInstance](value) { return typeof value?.area === 'function'; }
}
class Circle extends Shape {
  #radius;
  static { this.registry.set('circle', this); }
  constructor(radius) { super(); this.radius = radius; }
  get radius() { return this.#radius; }
  set radius(value) {
    if (!(value > 0)) throw new RangeError(`radius must be positive, got ${value}`);
    this.#radius = value;
  }
  area() { return Math.PI * this.#radius ** 2; }
  #hidden() { return 'hidden'; }
  reveal() { return this.#hidden() + (#radius in this); }
}
class Rectangle extends Shape {
  static { this.registry.set('rectangle', this); }
  constructor(width, height) { super('box'); Object.assign(this, { width, height }); Object.freeze(this); }
  area() { return this.width * this.height; }
  *[Symbol.iterator]() { yield this.width; yield this.height; }
}
const Serializable = (Base) => class extends Base { serialize() { return JSON.stringify(this); } };
const Comparable = (Base) => class extends Base { compareTo(other) { return Math.sign(this.area() - other.area()); } };
class Square extends Comparable(Serializable(Rectangle)) { constructor(side) { super(side, side); } }

const shapes = [Shape.create('circle', 2), Shape.create('rectangle', 3, 4), new Square(5)];
console.log(shapes.map(String), `${shapes[0]}`, Shape.count);
console.log(JSON.stringify(shapes), shapes[2].serialize(), shapes[2].compareTo(shapes[1]));
console.log(shapes);
console.log([...shapes[1]], Math.max(...shapes[2]), shapes[0].reveal(), { area() {} } instanceof Shape, 5 instanceof Shape);
for (const act of [() => Shape.create('nothing').area(), () => new Circle(-1), () => { 'use strict'; shapes[1].width = 9; }, () => Circle(1), () => shapes[0].missing(), () => null.x, () => undefined.foo.bar, () => notDefined, () => { const c = 1; c = 2; }, () => ({}).x.y, () => JSON.parse('{bad'), () => new Array(-1), () => 'x'.repeat(-1), () => (1).toFixed(101), () => BigInt(1.5), () => 1n + 1, () => Symbol() + '', () => [].reduce((a) => a), () => decodeURIComponent('%'), () => new Proxy({}, null), () => structuredClone(() => {}), () => { class A extends null {} new A(); }, () => { x; let x; }, () => (void 0)(), () => { for (const a of 5) ; }, () => { const [a] = {}; }, () => { const { a } = null; }, () => new (class { #p; static t(o) { return o.#p; } }).constructor.t({}), () => 'a' in 'b', () => ({}) instanceof 5, () => Object.defineProperty(Object.freeze({}), 'a', { value: 1 })]) {
  try { console.log(act()); } catch (error) { console.log(`${error.name}: ${error.message}`, error instanceof Error); }
}
console.log(Object.getOwnPropertyNames(Circle.prototype), Object.getPrototypeOf(Square.prototype).constructor.name, Square.name, Circle.length, typeof Circle);
const counter = { from: 1, to: 5, [Symbol.iterator]() { let n = this.from; return { next: () => (n <= this.to ? { value: n++, done: false } : { value: undefined, done: true }), return: () => { console.log('stopped at', n); return {}; } }; } };
for (const n of counter) if (n === 3) break;
const [first, , third = 0, ...others] = counter;
console.log(first, third, others, Array.from(counter, (n) => n * n), Object.entries({ a: 1, b: [2] }));
const { a: { b: deep = 'default' } = {}, ...left } = { c: 1, d: 2 };
console.log(deep, left, ((a, b = a * 2, ...c) => [a, b, c])(1, undefined, 3, 4), (() => { label: for (let i = 0; ; i++) for (;;) { if (i > 2) return i; continue label; } })());
