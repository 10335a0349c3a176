// an inventory with mapped types, generics, getters and reports
type Currency = 'USD' | 'EUR';
interface Money { readonly amount: number; readonly currency: Currency }
interface Product { sku: string; name: string; price: Money; stock?: number; dimensions?: [width: number, height: number] }
type Patch<T> = { [K in keyof T]?: T[K] extends object ? Patch<T[K]> : T[K] };
type Getters<T> = { [K in keyof T as `get${Capitalize<string & K>}`]: () => T[K] };

const RATES: Record<Currency, number> = { USD: 1, EUR: 1.08 };
const money = (amount: number, currency: Currency = 'USD'): Money => Object.freeze({ amount, currency });
const format = ({ amount, currency }: Money): string => new Intl.NumberFormat('en-US', { style: 'currency', currency }).format(amount);

class Inventory implements Iterable<Product> {
  #products: Map<string, Product> = new Map();
  static from(products: Product[]): Inventory { const i = new Inventory(); products.forEach((p) => i.add(p)); return i; }
  add(product: Product): void {
    if (this.#products.has(product.sku)) throw new Error(`duplicate ${product.sku}`);
    this.#products.set(product.sku, product);
  }
  update(sku: string, patch: Patch<Product>): Product {
    const old = this.#products.get(sku);
    if (!old) throw new ReferenceError(`unknown ${sku}`);
    const next = { ...old, ...patch, price: { ...old.price, ...patch.price } } as Product;
    this.#products.set(sku, next);
    return next;
  }
  *[Symbol.iterator](): Iterator<Product> { yield* this.#products.values(); }
  total(currency: Currency): Money { return money(+[...this].reduce((s, { price, stock = 0 }) => s + (price.amount * RATES[price.currency] * stock) / RATES[currency], 0).toFixed(2), currency); }
}
function getters<T extends object>(o: T): Getters<T> {
  return Object.fromEntries(Object.entries(o).map(([k, v]) => [`get${k[0]!.toUpperCase()}${k.slice(1)}`, () => v])) as Getters<T>;
}
const inventory = Inventory.from([
  { sku: 'L1', name: 'Lamp', price: money(19.99), stock: 10, dimensions: [10, 45] },
  { sku: 'C2', name: 'Chair', price: money(45.5, 'EUR'), stock: 3 },
  { sku: 'V3', name: 'Vase', price: money(1200.0049, 'EUR') },
]);
for (const { name, price, stock, dimensions: [w, h] = [0, 0] } of inventory) console.log(`${name.padEnd(6)}|${format(price).padStart(10)}|${stock ?? '-'}|${w}x${h}`);
console.log(inventory.update('V3', { stock: 2, price: { amount: 999 } }), format(inventory.total('USD')), format(inventory.total('EUR')));
for (const act of [() => inventory.add({ sku: 'L1', name: 'x', price: money(1) }), () => inventory.update('Q', {}), () => { (money(1) as { amount: number }).amount = 2; }]) {
  try { act(); console.log('no error'); } catch (e) { console.log(e instanceof Error ? `${e.name}` : e); }
}
const g = getters({ name: 'Ann', age: 30 });
console.log(g.getName(), g.getAge(), Object.keys(g));
console.table([...inventory].map(({ sku, name, stock }) => ({ sku, name, stock })));
const assertNever = (x: never): never => { throw new Error(`unexpected ${x}`); };
const area = (s: { kind: 'circle'; r: number } | { kind: 'square'; side: number }): number => (s.kind === 'circle' ? Math.PI * s.r ** 2 : s.kind === 'square' ? s.side ** 2 : assertNever(s));
console.log(area({ kind: 'circle', r: 2 }).toFixed(3), area({ kind: 'square', side: 3 }));
