// event emitters and streams: once, errors, back pressure, iteration
const { EventEmitter, once, on } = require('node:events');
const { Readable, Writable, Transform, PassThrough, pipeline, Duplex, finished } = require('node:stream');
const util = require('node:util');

class Store extends EventEmitter {
  #state = { count: 0 };
  dispatch(action) {
    const before = this.#state;
    this.#state = action.type === 'add' ? { ...before, count: before.count + action.by } : before;
    this.emit('change', this.#state, before);
    return this.listenerCount('change');
  }
}
const store = new Store();
store.on('change', (now, before) => console.log('changed', before, '->', now));
store.once('change', () => console.log('only once'));
store.prependListener('change', () => console.log('first'));
console.log(store.dispatch({ type: 'add', by: 2 }), store.dispatch({ type: 'none' }), store.eventNames(), store.emit('nothing'));
try { store.emit('error', new Error('unheard')); } catch (error) { console.log(error.message); }
try { new EventEmitter().emit('error', { not: 'an error' }); } catch (error) { console.log(error.name, error.code, error.message); }
store.off('change', () => {}).removeAllListeners('change');
console.log(store.listenerCount('change'), store.getMaxListeners(), EventEmitter.defaultMaxListeners);

async function main() {
  setTimeout(() => store.emit('ready', 1, 2), 1);
  console.log(await once(store, 'ready'));
  setTimeout(() => { for (const n of [1, 2, 3]) store.emit('n', n); }, 1);
  for await (const [n] of on(store, 'n')) { console.log('n', n); if (n === 3) break; }
  class Lines extends Transform {
    constructor() { super({ readableObjectMode: true }); this.rest = ''; }
    _transform(chunk, encoding, next) { const parts = (this.rest + chunk).split('\n'); this.rest = parts.pop(); parts.forEach((p) => this.push(p)); next(); }
    _flush(next) { if (this.rest) this.push(this.rest); next(); }
  }
  const collected = [];
  await util.promisify(pipeline)(Readable.from(['one\ntw', 'o\nthr', 'ee']), new Lines(), new Writable({ objectMode: true, write(line, _, next) { collected.push(line.toUpperCase()); setTimeout(next, 1); }, final(next) { collected.push('end'); next(); } }));
  console.log(collected);
  const slow = new Writable({ highWaterMark: 10, write(chunk, _, next) { setImmediate(next); } });
  console.log(slow.write('12345'), slow.write('1234567'), slow.writableLength, slow.writableNeedDrain);
  await once(slow, 'drain');
  console.log('drained', slow.writableLength);
  slow.end('bye');
  await once(slow, 'finish');
  console.log(slow.writableFinished, slow.destroyed);
  const source = new Readable({ read() {} });
  source.push('a'); source.push('b'); source.push(null);
  source.setEncoding('utf8');
  console.log(await source.toArray());
  const reader = Readable.from([1, 2, 3, 4, 5]);
  console.log(await reader.filter((n) => n % 2).map((n) => n * 10).toArray());
  console.log(await Readable.from(['a', 'b', 'c']).reduce((s, c) => s + c, ''), await Readable.from([3, 4]).some((n) => n > 3));
  pipeline(Readable.from(['x']), new Transform({ transform(c, e, next) { next(new Error('in the middle')); } }), new PassThrough(), (error) => console.log('pipeline:', error.message));
  await new Promise((r) => setTimeout(r, 5));
  const both = Duplex.from(async function* (chunks) { for await (const c of chunks) yield String(c).repeat(2); });
  both.end('ab');
  for await (const c of both) console.log('duplex', c);
  const pass = new PassThrough();
  pass.on('data', (d) => console.log('data', d)).on('end', () => console.log('end')).on('close', () => console.log('close'));
  pass.write('1'); pass.end('2');
  await new Promise((r) => finished(pass, r));
  const late = new Writable({ write(c, e, n) { n(); } });
  late.on('error', (error) => console.log(error.code, error.message));
  late.end(); late.write('x');
  await new Promise((r) => setTimeout(r, 2));
  const { readable, writable } = new TransformStream({ transform(chunk, c) { c.enqueue(chunk + 1); } });
  const writer = writable.getWriter();
  writer.write(1); writer.write(2); writer.close();
  for await (const v of readable) console.log('web', v);
  const target = new EventTarget();
  target.addEventListener('ping', (e) => console.log(e.type, e.detail, e instanceof Event), { once: true });
  target.dispatchEvent(new CustomEvent('ping', { detail: { n: 1 } }));
  console.log(target.dispatchEvent(new Event('ping')));
}
main();
