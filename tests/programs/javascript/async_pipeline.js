// async/await: combinators, generators, limits, retries, order of tasks
const sleep = (ms, value) => new Promise((resolve) => setTimeout(resolve, ms, value));
const fail = (ms, text) => new Promise((_, reject) => setTimeout(() => reject(new Error(text)), ms));

async function retry(fn, times, delay = 1) {
  for (let attempt = 1; ; attempt++) {
    try {
      return await fn(attempt);
    } catch (error) {
      console.log(`attempt ${attempt}: ${error.message}`);
      if (attempt >= times) throw new Error(`gave up after ${attempt}`, { cause: error });
      await sleep(delay * 2 ** attempt);
    }
  }
}

async function limited(tasks, limit) {
  const results = [];
  let next = 0, active = 0, most = 0;
  const worker = async () => {
    while (next < tasks.length) {
      const index = next++;
      most = Math.max(most, ++active);
      results[index] = await tasks[index]();
      active--;
    }
  };
  await Promise.all(Array.from({ length: limit }, worker));
  return { results, most };
}

async function* numbers(count) {
  try {
    for (let i = 0; i < count; i++) {
      await sleep(1);
      yield i;
    }
  } finally {
    console.log('generator closed');
  }
}

async function main() {
  console.log(await Promise.all([sleep(3, 'slow'), sleep(1, 'fast'), 'plain']));
  console.log(await Promise.race([sleep(20, 'slow'), sleep(2, 'fast')]));
  console.log(await Promise.allSettled([sleep(1, 1), fail(1, 'bad')]));
  console.log(await Promise.any([fail(1, 'first'), sleep(3, 'second')]));
  await Promise.any([fail(1, 'a'), fail(2, 'b')]).catch((error) => console.log(error.constructor.name, error.message, error.errors.map((e) => e.message)));
  console.log(await retry(async (n) => { if (n < 3) throw new Error('flaky'); return `ok on ${n}`; }, 5));
  await retry(() => fail(1, 'always'), 2).catch((error) => console.log(error.message, '<-', error.cause.message));
  console.log(await limited([5, 1, 3, 2, 4].map((n) => () => sleep(n, n * n)), 2));
  for await (const n of numbers(10)) {
    if (n > 2) break;
    console.log('got', n);
  }
  for await (const value of [sleep(2, 'x'), 'y']) console.log(value);
  const { promise, resolve } = Promise.withResolvers();
  setTimeout(resolve, 1, 'resolved outside');
  console.log(await promise);
  const controller = new AbortController();
  const cancelled = new Promise((_, reject) => controller.signal.addEventListener('abort', () => reject(controller.signal.reason)));
  controller.abort();
  await cancelled.catch((error) => console.log(error.name, error.message, controller.signal.aborted));
  try {
    await Promise.race([sleep(50), new Promise((_, reject) => setTimeout(() => reject(new TypeError('timeout')), 2))]);
  } catch (error) {
    console.log(`${error}`);
  } finally {
    console.log('finally');
  }
  const order = [];
  setTimeout(() => order.push('timeout'), 0);
  setImmediate(() => order.push('immediate'));
  process.nextTick(() => order.push('tick'));
  queueMicrotask(() => order.push('microtask'));
  Promise.resolve().then(() => order.push('then')).then(() => order.push('then 2'));
  (async () => { order.push('async start'); await null; order.push('async end'); })();
  order.push('sync');
  await sleep(5);
  console.log(order.filter((o) => o !== 'immediate'), order.includes('immediate'));
  const { setTimeout: wait } = require('timers/promises');
  console.log(await wait(1, 'from timers/promises'));
  let ticks = 0;
  await new Promise((done) => { const id = setInterval(() => { if (++ticks === 3) { clearInterval(id); done(); } }, 1); });
  console.log('ticks', ticks);
}

main().catch(console.error);
