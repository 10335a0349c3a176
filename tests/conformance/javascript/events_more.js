// events: once, on, errors, monitors, listeners and their order
const events = require('events');
const { EventEmitter, once, on } = events;
(async () => {
  const emitter = new EventEmitter();
  setTimeout(() => emitter.emit('ready', 1, 2), 1);
  console.log(await once(emitter, 'ready'));
  setTimeout(() => emitter.emit('error', new Error('failed')), 1);
  try { await once(emitter, 'never'); } catch (error) { console.log(error.message, emitter.listenerCount('error')); }
  const controller = new AbortController();
  setTimeout(() => controller.abort(), 1);
  try { await once(emitter, 'never', { signal: controller.signal }); } catch (error) { console.log(error.name, error.code); }
  setTimeout(() => { emitter.emit('tick', 1); emitter.emit('tick', 2); emitter.emit('stop'); }, 1);
  for await (const [value] of on(emitter, 'tick')) { console.log('tick', value); if (value === 2) break; }
  console.log(emitter.listenerCount('tick'));
  setTimeout(() => { emitter.emit('tick', 1); emitter.emit('error', new Error('in between')); }, 1);
  try { for await (const [value] of on(emitter, 'tick')) console.log('tick', value); } catch (error) { console.log(error.message); }
  emitter.on(events.errorMonitor, (error) => console.log('seen', error.message));
  try { emitter.emit('error', new Error('loud')); } catch (error) { console.log('thrown', error.message); }
  try { new EventEmitter().emit('error', 'text'); } catch (error) { console.log(error.code, error.message); }
  const order = [];
  emitter.on('newListener', (name) => order.push(`new ${String(name)}`));
  const b = () => order.push('b');
  emitter.on('x', b); emitter.prependListener('x', () => order.push('a')); emitter.once('x', () => order.push('c')); emitter.prependOnceListener('x', () => order.push('0'));
  emitter.emit('x'); emitter.emit('x');
  emitter.off('x', b); emitter.emit('x');
  console.log(order.join(' '), emitter.eventNames().includes('x'), emitter.rawListeners('x').length);
  console.log(emitter.setMaxListeners(20).getMaxListeners(), EventEmitter.defaultMaxListeners, events.getEventListeners(emitter, 'x').length);
  const capturing = new EventEmitter({ captureRejections: true });
  capturing.on('go', async () => { throw new Error('rejected'); });
  capturing.on('error', (error) => console.log('captured', error.message));
  capturing.emit('go');
  await new Promise((resolve) => setTimeout(resolve, 1));
  class Own extends EventEmitter { constructor() { super(); this.count = 0; } }
  const own = new Own();
  own.on('e', function () { this.count++; });
  console.log(own.emit('e'), own.count, own.emit('none'), own.constructor.name);
  try { own.on('e', 'no function'); } catch (error) { console.log(error.code); }
  own.removeAllListeners(); console.log(own.eventNames());
  const target = new EventTarget();
  setTimeout(() => target.dispatchEvent(new Event('ping')), 1);
  console.log((await once(target, 'ping'))[0].type);
})();
