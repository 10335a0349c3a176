// typed async code: results, retries, concurrency and generators
type Result<T, E = Error> = { ok: true; value: T } | { ok: false; error: E };
const ok = <T,>(value: T): Result<T, never> => ({ ok: true, value });
const err = <E,>(error: E): Result<never, E> => ({ ok: false, error });
interface Task<T> { readonly name: string; run(signal: AbortSignal): Promise<T> }
const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

class TimeoutError extends Error { override readonly name = 'TimeoutError' as const; constructor(public readonly ms: number) { super(`no answer in ${ms} ms`); } }

async function attempt<T>({ name, run }: Task<T>, { times = 3, timeout = 50 }: { times?: number; timeout?: number } = {}): Promise<Result<T, string>> {
  for (let n = 1; n <= times; n++) {
    const controller = new AbortController();
    try {
      const value = await Promise.race([run(controller.signal), sleep(timeout).then((): never => { controller.abort(); throw new TimeoutError(timeout); })]);
      return ok(value);
    } catch (error) {
      console.log(`${name} #${n}: ${(error as Error).name}: ${(error as Error).message}`);
    }
  }
  return err(`${name} failed`);
}
async function* mapLimit<T, R>(items: Iterable<T>, limit: number, fn: (item: T) => Promise<R>): AsyncGenerator<[T, R], number, void> {
  const running = new Map<T, Promise<[T, R]>>();
  let total = 0;
  for (const item of items) {
    running.set(item, fn(item).then((r): [T, R] => [item, r]));
    if (running.size >= limit) { const done = await Promise.race(running.values()); running.delete(done[0]); total++; yield done; }
  }
  while (running.size) { const done = await Promise.race(running.values()); running.delete(done[0]); total++; yield done; }
  return total;
}
let calls = 0;
const tasks: Task<number>[] = [
  { name: 'steady', run: async () => 42 },
  { name: 'flaky', run: async () => { if (++calls < 3) throw new RangeError(`call ${calls}`); return calls; } },
  { name: 'stuck', run: (signal) => new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason))) },
];
async function main(): Promise<void> {
  for (const task of tasks) {
    const result = await attempt(task, { times: task.name === 'stuck' ? 1 : 3, timeout: 10 });
    console.log(task.name, result.ok ? result.value : result.error);
  }
  const order: string[] = [];
  const generator = mapLimit([12, 2, 7, 1], 2, async (ms) => { await sleep(ms); return `after ${ms}`; });
  let step = await generator.next();
  while (!step.done) { order.push(step.value[1]); step = await generator.next(); }
  console.log(order.sort(), step.value);
  const settled = await Promise.allSettled<number | string>([Promise.resolve(1), Promise.reject(new TimeoutError(5))]);
  console.log(settled.map((s) => (s.status === 'fulfilled' ? s.value : (s.reason as TimeoutError).ms)));
  const lookup = { a: 1, b: 2 } as const;
  type Keys = keyof typeof lookup;
  const keys: Keys[] = ['a', 'b'];
  console.log(keys.map((k) => lookup[k]), await attempt({ name: 'inline', run: async () => ({ nested: [1] as number[] }) }));
}
await main();
export {};
