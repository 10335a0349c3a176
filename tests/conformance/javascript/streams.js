// streams: sources, transforms, pipelines, errors and their order
const { Readable, Writable, Transform, Duplex, PassThrough, pipeline, finished } = require('stream');
const promises = require('stream/promises');
const { EventEmitter } = require('events');

const upper = () => new Transform({ transform(chunk, encoding, callback) { callback(null, `${chunk}`.toUpperCase()); } });
const collect = (into) => new Writable({ write(chunk, encoding, callback) { into.push(`${chunk}`); callback(); } });

(async () => {
  const parts = [];
  await promises.pipeline(Readable.from(['a', 'b', 'c']), upper(), collect(parts));
  console.log(parts);

  const numbers = [];
  for await (const value of Readable.from([1, 2, 3]).map((value) => value * 2).filter((value) => value > 2)) numbers.push(value);
  console.log(numbers, await Readable.from([1, 2, 3]).toArray());

  const doubled = new Transform({ objectMode: true, transform(value, _, done) { this.push(value); this.push(value); done(); }, flush(done) { this.push('end'); done(); } });
  const out = [];
  doubled.on('data', (value) => out.push(value)).on('end', () => out.push('ended'));
  doubled.write(1); doubled.end(2);
  await promises.finished(doubled);
  console.log(out);

  await new Promise((resolve) => pipeline(Readable.from(['x']), new Transform({ transform(chunk, _, done) { done(new Error('broken')); } }), collect([]), (error) => { console.log('failed:', error.message); resolve(); }));

  const slow = new Writable({ highWaterMark: 2, write(chunk, _, done) { setTimeout(done, 1); } });
  console.log(slow.write('ab'), slow.writableLength, slow.writableNeedDrain);
  await new Promise((resolve) => slow.once('drain', resolve));
  console.log('drained', slow.writableLength);
  slow.end();
  await promises.finished(slow);

  const readable = new Readable({ read() {} });
  readable.push('one '); readable.push('two'); readable.push(null);
  readable.setEncoding('utf8');
  let text = '';
  readable.on('readable', () => { let part; while ((part = readable.read()) !== null) text += part; });
  await new Promise((resolve) => readable.on('end', resolve));
  console.log(text);

  const order = [];
  const writable = new Writable({ write(chunk, _, done) { done(); }, final(done) { order.push('final'); done(); } });
  writable.on('finish', () => order.push('finish')).on('close', () => order.push('close'));
  writable.end('x', () => order.push('callback'));
  await new Promise((resolve) => writable.on('close', resolve));
  console.log(order);

  const echo = new Duplex({ read() {}, write(chunk, _, done) { this.push(`<${chunk}>`); done(); }, final(done) { this.push(null); done(); } });
  echo.end('in');
  console.log(`${(await echo.toArray())[0]}`);

  const through = new PassThrough();
  const seen = [];
  through.pipe(collect(seen));
  through.write('p'); through.end('q');
  await promises.finished(through);
  console.log(seen.join(''), through instanceof EventEmitter, through instanceof Readable, through instanceof Writable);

  const destroyed = new Readable({ read() {} });
  destroyed.on('error', (error) => console.log('error', error.message)).on('close', () => console.log('closed', destroyed.destroyed));
  destroyed.destroy(new Error('gone'));
  await new Promise((resolve) => finished(destroyed, () => resolve()));
  try { for await (const _ of Readable.from((async function* () { yield 1; throw new Error('in the source'); })())); } catch (error) { console.log(error.message); }
  const late = new Writable({ write(chunk, _, done) { done(); } });
  late.on('error', (error) => console.log(error.code));
  late.end(); late.write('late');
  await promises.pipeline(Readable.from(['to ', 'stdout\n']), process.stdout);
})();
