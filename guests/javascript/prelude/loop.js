//! Event loop: in which order do timers, immediates and answers of the host run?
//!
//! One turn runs one task; the microtasks that it leaves run before the next. When nothing is ready the host waits for us.
(native, internal) => {
  const { define, codedError } = internal;
  const LONGEST_DELAY = 2147483647;
  let timers = []; // a heap, soonest first
  let immediates = [];
  let ready = [];
  let calls = new Map(); // number of a call -> what to do with its answer
  let ticks = [];
  let nextId = 1;
  let referenced = 0;
  const byId = new Map();

  const isSooner = (a, b) => a.due < b.due || (a.due === b.due && a.order < b.order);
  const push = (timer) => {
    let at = timers.push(timer) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!isSooner(timer, timers[parent])) break;
      timers[at] = timers[parent];
      at = parent;
    }
    timers[at] = timer;
  };
  const pop = () => {
    const first = timers[0], last = timers.pop();
    if (timers.length === 0) return first;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= timers.length) break;
      if (child + 1 < timers.length && isSooner(timers[child + 1], timers[child])) child++;
      if (!isSooner(timers[child], last)) break;
      timers[at] = timers[child];
      at = child;
    }
    timers[at] = last;
    return first;
  };

  const requireFunction = (callback) => {
    if (typeof callback !== 'function') {
      throw codedError(TypeError, 'ERR_INVALID_ARG_TYPE', `The "callback" argument must be of type function. Received ${internal.received(callback)}`);
    }
  };
  let order = 0;
  // A callback runs in the asynchronous frame in which it was given, once the program has asked for frames.
  const framed = (callback) => internal.inFrame?.(callback) ?? callback;

  class Timeout {
    constructor(callback, delay, values, repeats) {
      delay = +delay;
      if (!(delay >= 1 && delay <= LONGEST_DELAY)) delay = 1;
      this._idleTimeout = delay;
      this._onTimeout = framed(callback);
      this._repeat = repeats ? delay : null;
      for (const [name, value] of [['id', nextId++], ['values', values], ['state', 'idle'], ['isReferenced', true], ['due', 0], ['order', 0]]) {
        Object.defineProperty(this, name, { value, writable: true, enumerable: false });
      }
      byId.set(this.id, this);
      referenced++;
      this.schedule();
    }
    schedule() {
      this.due = native.now() + this._idleTimeout;
      this.order = order++;
      this.state = 'waiting';
      push(this);
      native.needLoop();
    }
    ref() { if (!this.isReferenced && this.state !== 'done') { this.isReferenced = true; referenced++; } return this; }
    unref() { if (this.isReferenced && this.state !== 'done') { this.isReferenced = false; referenced--; } return this; }
    hasRef() { return this.isReferenced; }
    refresh() {
      if (this.state === 'done') return this;
      const index = timers.indexOf(this);
      if (index >= 0) { const rest = timers; rest.splice(index, 1); timers = []; for (const timer of rest) push(timer); }
      this.schedule();
      return this;
    }
    close() { clear(this); return this; }
    [Symbol.toPrimitive]() { return this.id; }
    [Symbol.dispose]() { clear(this); }
    run() {
      if (this.state !== 'waiting') return;
      if (this._repeat === null) finish(this);
      else this.schedule();
      this._onTimeout(...this.values);
    }
  }
  for (const name of ['schedule', 'run']) Object.defineProperty(Timeout.prototype, name, { enumerable: false });

  const finish = (timer) => {
    if (timer.state === 'done') return;
    timer.state = 'done';
    byId.delete(timer.id);
    if (timer.isReferenced) referenced--;
  };
  const clear = (timer) => {
    if (typeof timer === 'number' || typeof timer === 'string') timer = byId.get(+timer);
    if (timer instanceof Timeout) finish(timer);
  };

  class Immediate {
    constructor(callback, values) {
      this._onImmediate = framed(callback);
      for (const [name, value] of [['values', values], ['isCleared', false]]) Object.defineProperty(this, name, { value, writable: true, enumerable: false });
      immediates.push(this);
      native.needLoop();
    }
    ref() { return this; }
    unref() { return this; }
    hasRef() { return true; }
    [Symbol.dispose]() { this.isCleared = true; }
    run() { if (!this.isCleared) this._onImmediate(...this.values); }
  }

  define('setTimeout', function setTimeout(callback, delay, ...values) { requireFunction(callback); return new Timeout(callback, delay, values, false); });
  define('setInterval', function setInterval(callback, delay, ...values) { requireFunction(callback); return new Timeout(callback, delay, values, true); });
  define('setImmediate', function setImmediate(callback, ...values) { requireFunction(callback); return new Immediate(callback, values); });
  define('clearTimeout', function clearTimeout(timer) { clear(timer); });
  define('clearInterval', function clearInterval(timer) { clear(timer); });
  define('clearImmediate', function clearImmediate(immediate) { if (immediate instanceof Immediate) immediate.isCleared = true; });

  const dropDone = () => { while (timers.length > 0 && timers[0].state === 'done') pop(); };
  const takeDue = () => {
    // A delay of one millisecond means none; otherwise such a timer would lose to `setImmediate` by chance.
    const now = native.now();
    for (dropDone(); timers.length > 0 && (timers[0].due <= now || (timers[0]._idleTimeout === 1 && timers[0].due <= now + 1)); dropDone()) ready.push(pop());
  };
  const takeAnswer = (timeout) => {
    const call = native.waitAny([...calls.keys()], timeout);
    if (call === undefined) return false;
    const settle = calls.get(call);
    calls.delete(call);
    if (settle) ready.push({ run: () => settle(native.finishCall(call)) });
    return true;
  };
  const takeImmediates = () => { ready = immediates; immediates = []; };

  // True if a task ran or time passed; false when nothing is left that could run.
  const turn = () => {
    for (;;) {
      if (ready.length > 0) {
        ready.shift().run();
        return true;
      }
      takeDue();
      if (calls.size > 0 && (ready.length > 0 || immediates.length > 0)) takeAnswer(0);
      if (ready.length > 0) continue;
      if (immediates.length > 0) { takeImmediates(); continue; }
      if (calls.size === 0 && referenced === 0) return false;
      if (calls.size === 0 && timers.length === 0) return false;
      takeAnswer(timers.length > 0 ? Math.max(0, timers[0].due - native.now()) : undefined);
    }
  };

  internal.turn = turn;
  internal.nextTick = (callback, values) => {
    ticks.push(framed(callback), values);
    native.needTicks();
  };
  internal.runTicks = () => {
    for (let i = 0; i < ticks.length; i += 2) {
      try { ticks[i](...ticks[i + 1]); } catch (error) {
        ticks = ticks.slice(i + 2);
        if (ticks.length > 0) native.needTicks();
        throw error;
      }
    }
    ticks = [];
  };

  // A call of the host. Resolves to the parsed answer; `fail(kind, message)` makes the error. After an abort its answer is dropped.
  internal.call = (name, values, fail, signal) => new Promise((resolve, reject) => {
    const number = native.startCall(name, values);
    const abort = () => { calls.delete(number); reject(signal.reason); };
    signal?.addEventListener('abort', abort, { once: true });
    calls.set(number, ([answer, kind, message]) => {
      signal?.removeEventListener('abort', abort);
      if (answer === undefined) reject(fail(kind, message));
      else try { resolve(answer === '' ? undefined : JSON.parse(answer)); } catch (error) { reject(error); }
    });
  });

  internal.reset = () => {
    timers = [];
    immediates = [];
    ready = [];
    ticks = [];
    calls = new Map();
    byId.clear();
    referenced = 0;
    native.setFrame(undefined);
  };

  const sleep = (delay, value, options) => new Promise((resolve, reject) => {
    const signal = options?.signal;
    if (signal?.aborted) { reject(internal.abortError(signal)); return; }
    const abort = () => { clear(timer); reject(internal.abortError(signal)); };
    const timer = new Timeout(() => { signal?.removeEventListener('abort', abort); resolve(value); }, delay, [], false);
    if (options?.ref === false) timer.unref();
    signal?.addEventListener('abort', abort, { once: true });
  });
  internal.timersPromises = {
    setTimeout: sleep,
    setImmediate: (value, options) => new Promise((resolve, reject) => {
      const signal = options?.signal;
      if (signal?.aborted) { reject(internal.abortError(signal)); return; }
      const immediate = new Immediate(() => { signal?.removeEventListener('abort', abort); resolve(value); }, []);
      const abort = () => { immediate.isCleared = true; reject(internal.abortError(signal)); };
      signal?.addEventListener('abort', abort, { once: true });
    }),
    setInterval: async function* (delay, value, options) { for (;;) yield await sleep(delay, value, options); },
    scheduler: { wait: (delay, options) => sleep(delay, undefined, options), yield: () => new Promise((resolve) => { new Immediate(resolve, []); }) },
  };

  define('callTool', function callTool(name, values) {
    if (typeof name !== 'string') throw new TypeError('callTool: the name of the tool must be a string');
    const json = JSON.stringify(values === undefined ? {} : values);
    return internal.call(`tool:${name}`, json === undefined ? '{}' : json, (kind, message) => {
      const error = new Error(message);
      error.name = 'ToolError';
      error.kind = kind;
      error.tool = name;
      return error;
    });
  });
}
