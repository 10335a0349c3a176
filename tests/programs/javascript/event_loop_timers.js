// timers: order, intervals, refresh, a scheduler and a rate limiter
const log = [];
const at = (text) => log.push(text);
setTimeout(() => at('timeout 2'), 8);
setTimeout(() => at('timeout 1'), 2);
const interval = setInterval(() => { at('tick'); if (log.filter((l) => l === 'tick').length === 3) clearInterval(interval); }, 1);
const cancelled = setTimeout(() => at('never'), 1);
clearTimeout(cancelled);
Promise.resolve().then(() => at('promise'));
process.nextTick(() => at('next tick'));
at('sync');

class Scheduler {
  #jobs = []; #now = 0;
  every(period, name) { this.#jobs.push({ at: period, period, name }); return this; }
  *run(until) {
    while (this.#jobs.length) {
      this.#jobs.sort((a, b) => a.at - b.at || a.name.localeCompare(b.name));
      const job = this.#jobs[0];
      if (job.at > until) return;
      this.#now = job.at;
      job.at += job.period;
      yield `${this.#now}:${job.name}`;
    }
  }
}
class TokenBucket {
  constructor(capacity, perSecond) { Object.assign(this, { capacity, perSecond, tokens: capacity, last: 0 }); }
  take(now, n = 1) {
    this.tokens = Math.min(this.capacity, this.tokens + (now - this.last) * this.perSecond);
    this.last = now;
    if (this.tokens < n) return false;
    this.tokens -= n;
    return true;
  }
}
console.log([...new Scheduler().every(3, 'b').every(2, 'a').every(5, 'c').run(10)].join(' '));
const bucket = new TokenBucket(3, 1);
console.log([0, 0.1, 0.2, 0.3, 1.5, 2, 6, 6, 6, 6].map((t) => bucket.take(t)));
class Queue {
  #tail = Promise.resolve();
  run(task) { const result = this.#tail.then(task); this.#tail = result.catch(() => {}); return result; }
}
const queue = new Queue();
const order = [];
const job = (name, ms) => () => new Promise((resolve, reject) => { order.push(`start ${name}`); setTimeout(() => { order.push(`end ${name}`); name === 'b' ? reject(new Error('b failed')) : resolve(name); }, ms); });
Promise.allSettled([queue.run(job('a', 3)), queue.run(job('b', 1)), queue.run(job('c', 2))]).then((results) => {
  console.log(order, results.map((r) => r.value ?? r.reason.message));
});
const start = performance.now();
setTimeout(() => {
  console.log(log.slice(0, 3), log.filter((l) => l === 'tick').length, log.indexOf('timeout 1') < log.indexOf('timeout 2'), log.includes('never'), performance.now() - start >= 29);
  const timer = setTimeout(() => {}, 10);
  console.log(typeof timer, timer.hasRef(), timer.unref() === timer, typeof timer[Symbol.toPrimitive]());
}, 30);
process.on('exit', (code) => console.log('exit', code));
process.on('beforeExit', () => { if (!log.includes('before')) { at('before'); console.log('before exit'); } });
