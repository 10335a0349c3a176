// a typed event emitter, mixins, symbols and a dependency container
type Events = { message: [from: string, text: string]; join: [user: string]; close: [] };
class TypedEmitter<M extends Record<string, unknown[]>> {
  readonly #handlers: { [K in keyof M]?: Array<(...args: M[K]) => void> } = {};
  on<K extends keyof M>(name: K, handler: (...args: M[K]) => void): () => void {
    (this.#handlers[name] ??= []).push(handler);
    return () => { this.#handlers[name] = this.#handlers[name]?.filter((h) => h !== handler); };
  }
  emit<K extends keyof M>(name: K, ...args: M[K]): number {
    const handlers = this.#handlers[name] ?? [];
    handlers.forEach((h) => h(...args));
    return handlers.length;
  }
}
class Chat extends TypedEmitter<Events> { constructor(public readonly room: string) { super(); } }
const chat = new Chat('lobby');
const off = chat.on('message', (from, text) => console.log(`[${chat.room}] ${from}: ${text}`));
chat.on('join', (user) => chat.emit('message', 'bot', `welcome ${user}`));
console.log(chat.emit('join', 'ann'), chat.emit('message', 'ann', 'hi'), chat.emit('close'));
off();
console.log(chat.emit('message', 'ann', 'unheard'), chat);

type Constructor<T = {}> = new (...args: any[]) => T;
const Timestamped = <B extends Constructor>(Base: B) => class extends Base { stamp = new Date(0).toISOString(); };
const Tagged = <B extends Constructor>(Base: B) => class extends Base { tags: string[] = []; tag(...names: string[]): this { this.tags.push(...names); return this; } };
class Note { constructor(public text: string, private secret = 'x') {} }
const Rich = Timestamped(Tagged(Note));
console.log(new Rich('hello').tag('a', 'b'), new Rich('y') instanceof Note);

const TOKENS = { logger: Symbol('logger'), db: Symbol('db') } as const;
interface Logger { log(message: string): void }
class Container {
  private factories = new Map<symbol, (c: Container) => unknown>();
  private instances = new Map<symbol, unknown>();
  register<T>(token: symbol, factory: (c: Container) => T): this { this.factories.set(token, factory); return this; }
  get<T>(token: symbol): T {
    if (!this.instances.has(token)) {
      const factory = this.factories.get(token);
      if (!factory) throw new TypeError(`nothing for ${String(token)}`);
      this.instances.set(token, factory(this));
    }
    return this.instances.get(token) as T;
  }
}
const container = new Container()
  .register<Logger>(TOKENS.logger, () => ({ log: (m) => console.log('log:', m) }))
  .register(TOKENS.db, (c) => { c.get<Logger>(TOKENS.logger).log('connecting'); return { rows: [1, 2, 3] as const }; });
console.log(container.get<{ rows: readonly number[] }>(TOKENS.db).rows.length, container.get(TOKENS.db) === container.get(TOKENS.db));
try { container.get(Symbol.for('none')); } catch (e) { console.log((e as TypeError).message); }
let value: unknown = JSON.parse('{"a": [1, "two"]}');
const hasA = (v: unknown): v is { a: unknown[] } => typeof v === 'object' && v !== null && 'a' in v;
if (hasA(value)) console.log(value.a.map((x) => typeof x));
const compose = <A, B, C>(f: (a: A) => B, g: (b: B) => C) => (a: A): C => g(f(a));
console.log(compose((s: string) => s.length, (n) => n > 3)('four'), ((a: number, b?: number, ...c: number[]) => [a, b, c.length])(1));
