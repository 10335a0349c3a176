//! `node:events`: what can an `EventEmitter` do?
(native, internal) => {
  const { codedError } = internal;
  const listenersOf = (emitter) => {
    if (!Object.hasOwn(emitter, '_events')) Object.defineProperty(emitter, '_events', { value: Object.create(null), writable: true, enumerable: false });
    return emitter._events;
  };
  const requireFunction = (listener) => {
    if (typeof listener !== 'function') throw codedError(TypeError, 'ERR_INVALID_ARG_TYPE', `The "listener" argument must be of type function. Received ${internal.received(listener)}`);
  };
  const add = (emitter, name, listener, atFront) => {
    requireFunction(listener);
    const all = listenersOf(emitter);
    if (all.newListener !== undefined) emitter.emit('newListener', name, listener.listener ?? listener);
    all[name] = atFront ? [listener, ...(all[name] ?? [])] : [...(all[name] ?? []), listener];
    return emitter;
  };
  const once = (emitter, name, listener) => {
    requireFunction(listener);
    const wrapper = (...values) => { emitter.removeListener(name, wrapper); return listener.apply(emitter, values); };
    wrapper.listener = listener;
    return wrapper;
  };

  // A function rather than a class: old code calls it without `new`.
  function EventEmitter() { listenersOf(this); }
  Object.assign(EventEmitter.prototype, {
    on(name, listener) { return add(this, name, listener, false); },
    addListener(name, listener) { return add(this, name, listener, false); },
    prependListener(name, listener) { return add(this, name, listener, true); },
    once(name, listener) { return add(this, name, once(this, name, listener), false); },
    prependOnceListener(name, listener) { return add(this, name, once(this, name, listener), true); },
    off(name, listener) { return this.removeListener(name, listener); },
    removeListener(name, listener) {
      const all = listenersOf(this), list = all[name];
      const at = list?.findLastIndex((one) => one === listener || one.listener === listener) ?? -1;
      if (at < 0) return this;
      if (list.length === 1) delete all[name];
      else all[name] = list.toSpliced(at, 1);
      if (all.removeListener) this.emit('removeListener', name, listener);
      return this;
    },
    removeAllListeners(name) {
      if (name === undefined) this._events = Object.create(null);
      else delete listenersOf(this)[name];
      return this;
    },
    emit(name, ...values) {
      const list = listenersOf(this)[name];
      if (list === undefined) {
        if (name !== 'error') return false;
        if (values[0] instanceof Error) throw values[0];
        const error = codedError(Error, 'ERR_UNHANDLED_ERROR', `Unhandled error. (${typeof values[0] === 'string' ? `'${values[0]}'` : internal.inspect(values[0])})`);
        error.context = values[0];
        throw error;
      }
      for (const listener of list) listener.apply(this, values);
      return true;
    },
    listeners(name) { return (listenersOf(this)[name] ?? []).map((one) => one.listener ?? one); },
    rawListeners(name) { return [...(listenersOf(this)[name] ?? [])]; },
    listenerCount(name) { return listenersOf(this)[name]?.length ?? 0; },
    eventNames() { return Reflect.ownKeys(listenersOf(this)); },
    setMaxListeners() { return this; },
    getMaxListeners() { return 10; },
  });
  for (const name of Object.keys(EventEmitter.prototype)) Object.defineProperty(EventEmitter.prototype, name, { enumerable: false });

  Object.assign(EventEmitter, {
    EventEmitter, defaultMaxListeners: 10,
    once: (emitter, name) => new Promise((resolve, reject) => {
      if (emitter instanceof EventTarget) { emitter.addEventListener(name, (event) => resolve([event]), { once: true }); return; }
      const fail = (error) => { emitter.removeListener(name, done); reject(error); };
      const done = (...values) => { emitter.removeListener('error', fail); resolve(values); };
      emitter.once(name, done);
      if (name !== 'error') emitter.once('error', fail);
    }),
    on: (emitter, name) => {
      const waiting = [], arrived = [];
      const listener = (...values) => { const next = waiting.shift(); if (next) next({ value: values, done: false }); else arrived.push(values); };
      emitter.on(name, listener);
      return {
        next: () => new Promise((resolve) => { if (arrived.length > 0) resolve({ value: arrived.shift(), done: false }); else waiting.push(resolve); }),
        return: async () => { emitter.removeListener(name, listener); return { value: undefined, done: true }; },
        [Symbol.asyncIterator]() { return this; },
      };
    },
    listenerCount: (emitter, name) => emitter.listenerCount(name),
  });
  internal.EventEmitter = EventEmitter;
  internal.builtins['events'] = () => EventEmitter;
}
