// a generic repository with interfaces, unions and type guards
interface Entity { readonly id: number; createdAt: Date }
interface User extends Entity { kind: 'user'; name: string; email?: string }
interface Product extends Entity { kind: 'product'; title: string; price: number; tags: readonly string[] }
type Item = User | Product;
type Draft<T extends Entity> = Omit<T, 'id' | 'createdAt'>;
type Listener<T> = (event: 'added' | 'removed', item: T) => void;

class Repository<T extends Entity> {
  private items = new Map<number, T>();
  private nextId = 1;
  protected listeners: Listener<T>[] = [];
  constructor(private readonly clock: () => Date) {}
  add(draft: Draft<T>): T {
    const item = { ...draft, id: this.nextId++, createdAt: this.clock() } as unknown as T;
    this.items.set(item.id, item);
    this.listeners.forEach((fn) => fn('added', item));
    return item;
  }
  find(predicate: (item: T) => boolean): T | undefined { for (const item of this.items.values()) if (predicate(item)) return item; return undefined; }
  remove(id: number): boolean { const item = this.items.get(id); if (item) this.listeners.forEach((fn) => fn('removed', item)); return this.items.delete(id); }
  sortBy<K extends keyof T>(key: K): T[] { return [...this.items.values()].sort((a, b) => (a[key] < b[key] ? -1 : a[key] > b[key] ? 1 : 0)); }
  on(fn: Listener<T>): this { this.listeners.push(fn); return this; }
  get size(): number { return this.items.size; }
}
const isUser = (item: Item): item is User => item.kind === 'user';
function describe(item: Item): string {
  switch (item.kind) {
    case 'user': return `${item.name} <${item.email ?? 'no e-mail'}>`;
    case 'product': return `${item.title}: $${item.price.toFixed(2)} [${item.tags.join(', ')}]`;
    default: { const never: never = item; return never; }
  }
}
let tick = 0;
const repository = new Repository<Item>(() => new Date(Date.UTC(2025, 0, ++tick))).on((event, item) => console.log(event, item.id, item.kind));
repository.add({ kind: 'user', name: 'Zoë' } as Draft<User>);
repository.add({ kind: 'product', title: 'Lamp', price: 19.9, tags: ['home', 'light'] } as Draft<Product>);
repository.add({ kind: 'user', name: 'Ann', email: 'ann@example.org' } as Draft<User>);
for (const item of repository.sortBy('createdAt').reverse()) console.log(describe(item), isUser(item));
console.log(repository.find((i) => i.kind === 'product')!, repository.remove(2), repository.remove(2), repository.size);
const pick = <T, K extends keyof T>(o: T, ...keys: K[]): Pick<T, K> => Object.fromEntries(keys.map((k) => [k, o[k]])) as Pick<T, K>;
console.log(pick({ a: 1, b: 'x', c: true }, 'a', 'c'), repository);
const tuple: [string, number, ...boolean[]] = ['t', 1, true, false];
const [first, second, ...others] = tuple;
const record: Record<'x' | 'y', number> = { x: 1, y: 2 } satisfies Record<string, number>;
console.log(first, second, others, Object.entries(record), (record as any).z?.w ?? 'none', <number>(<unknown>5) + 1);
