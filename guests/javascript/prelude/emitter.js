//! `node:events`: what can an `EventEmitter` do?
(native, internal) => {
  const { codedError } = internal;
  const monitor = Symbol('events.errorMonitor'), rejection = Symbol.for('nodejs.rejection');
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
  function EventEmitter(options) {
    listenersOf(this);
    if (options?.captureRejections) Object.defineProperty(this, '_captures', { value: true, writable: true, enumerable: false });
  }
  const needCount = (count) => {
    if (typeof count !== 'number' || count < 0 || Number.isNaN(count)) throw codedError(RangeError, 'ERR_OUT_OF_RANGE', `The value of "n" is out of range. It must be a non-negative number. Received ${internal.inspect(count)}`);
  };
  // With `captureRejections`: what an asynchronous listener rejects with is an error of the emitter.
  const capture = (emitter, promise, name, values) => {
    promise.then(undefined, (error) => internal.nextTick(() => {
      if (typeof emitter[rejection] === 'function') emitter[rejection](error, name, ...values);
      else emitter.emit('error', error);
    }, []));
  };
  Object.assign(EventEmitter.prototype, {
    on(name, listener) { return add(this, name, listener, false); },
    addListener(name, listener) { return add(this, name, listener, false); },
    prependListener(name, listener) { return add(this, name, listener, true); },
    once(name, listener) { return this.on(name, once(this, name, listener)); },
    prependOnceListener(name, listener) { return this.prependListener(name, once(this, name, listener)); },
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
      const all = listenersOf(this);
      if (all.removeListener !== undefined) {
        for (const one of name === undefined ? Reflect.ownKeys(all).filter((key) => key !== 'removeListener') : [name]) for (const listener of [...(all[one] ?? [])].reverse()) this.removeListener(one, listener);
      }
      if (name === undefined) this._events = Object.create(null);
      else delete all[name];
      return this;
    },
    emit(name, ...values) {
      const all = listenersOf(this), list = all[name];
      if (name === 'error' && all[monitor] !== undefined) this.emit(monitor, ...values);
      if (list === undefined) {
        if (name !== 'error') return false;
        if (values[0] instanceof Error) throw values[0];
        const error = codedError(Error, 'ERR_UNHANDLED_ERROR', `Unhandled error. (${typeof values[0] === 'string' ? `'${values[0]}'` : internal.inspect(values[0])})`);
        error.context = values[0];
        throw error;
      }
      for (const listener of list) {
        const result = listener.apply(this, values);
        if (this._captures === true && typeof result?.then === 'function' && name !== 'error') capture(this, result, name, values);
      }
      return true;
    },
    listeners(name) { return (listenersOf(this)[name] ?? []).map((one) => one.listener ?? one); },
    rawListeners(name) { return [...(listenersOf(this)[name] ?? [])]; },
    listenerCount(name, listener) {
      const list = listenersOf(this)[name] ?? [];
      return listener === undefined ? list.length : list.filter((one) => one === listener || one.listener === listener).length;
    },
    eventNames() { return Reflect.ownKeys(listenersOf(this)); },
    setMaxListeners(count) {
      needCount(count);
      Object.defineProperty(this, '_maxListeners', { value: count, writable: true, enumerable: false, configurable: true });
      return this;
    },
    getMaxListeners() { return this._maxListeners ?? EventEmitter.defaultMaxListeners; },
  });
  for (const name of Object.keys(EventEmitter.prototype)) Object.defineProperty(EventEmitter.prototype, name, { enumerable: false });

  const isTarget = (emitter) => emitter instanceof EventTarget;
  const addTo = (emitter, name, listener, options) => {
    if (isTarget(emitter)) emitter.addEventListener(name, listener, options);
    else if (typeof emitter?.on === 'function') emitter[options?.once ? 'once' : 'on'](name, listener);
    else throw codedError(TypeError, 'ERR_INVALID_ARG_TYPE', `The "emitter" argument must be an instance of EventEmitter. Received ${internal.received(emitter)}`);
  };
  const removeFrom = (emitter, name, listener) => (isTarget(emitter) ? emitter.removeEventListener(name, listener) : emitter.removeListener(name, listener));
  const onceOf = (emitter, name, options) => new Promise((resolve, reject) => {
    const signal = options?.signal;
    if (signal?.aborted) throw internal.abortError(signal);
    const stop = () => { removeFrom(emitter, name, done); removeFrom(emitter, 'error', fail); signal?.removeEventListener('abort', abort); };
    const fail = (error) => { stop(); reject(error); };
    const abort = () => fail(internal.abortError(signal));
    const done = (...values) => { stop(); resolve(values); };
    addTo(emitter, name, done, { once: true });
    if (name !== 'error' && !isTarget(emitter)) emitter.once('error', fail);
    signal?.addEventListener('abort', abort, { once: true });
  });
  // What arrives, as an asynchronous iterator: until one of `options.close`, an error or an abort.
  const onOf = (emitter, name, options) => {
    const signal = options?.signal, arrived = [], waiting = [];
    if (signal?.aborted) throw internal.abortError(signal);
    let failure, isOver = false;
    const end = { value: undefined, done: true };
    const listener = (...values) => { const next = waiting.shift(); if (next) next.resolve({ value: values, done: false }); else arrived.push(values); };
    const close = () => {
      isOver = true;
      for (const [event, handler] of handlers) removeFrom(emitter, event, handler);
      signal?.removeEventListener('abort', abort);
      for (const next of waiting.splice(0)) next.resolve(end);
      return Promise.resolve(end);
    };
    const fail = (error) => { const next = waiting.shift(); if (next) next.reject(error); else failure = { error }; close(); };
    const abort = () => fail(internal.abortError(signal));
    const handlers = [[name, listener], ...(options?.close ?? []).map((event) => [event, close])];
    if (name !== 'error' && !isTarget(emitter)) handlers.push(['error', fail]);
    for (const [event, handler] of handlers) addTo(emitter, event, handler);
    signal?.addEventListener('abort', abort, { once: true });
    return {
      next() {
        if (arrived.length > 0) return Promise.resolve({ value: arrived.shift(), done: false });
        if (failure) { const { error } = failure; failure = undefined; return Promise.reject(error); }
        return isOver ? Promise.resolve(end) : new Promise((resolve, reject) => { waiting.push({ resolve, reject }); });
      },
      return: close,
      throw(error) { fail(error); return Promise.resolve(end); },
      [Symbol.asyncIterator]() { return this; },
    };
  };
  const addAbortListener = (signal, listener) => {
    if (signal.aborted) queueMicrotask(() => listener());
    else signal.addEventListener('abort', listener, { once: true });
    return { [Symbol.dispose]() { signal.removeEventListener('abort', listener); } };
  };
  Object.assign(EventEmitter, {
    EventEmitter, defaultMaxListeners: 10, once: onceOf, on: onOf, errorMonitor: monitor, captureRejectionSymbol: rejection, captureRejections: false, addAbortListener,
    listenerCount: (emitter, name) => emitter.listenerCount(name),
    getEventListeners: (emitter, name) => (isTarget(emitter) ? [] : emitter.listeners(name)),
    getMaxListeners: (emitter) => emitter.getMaxListeners?.() ?? EventEmitter.defaultMaxListeners,
    setMaxListeners(count = EventEmitter.defaultMaxListeners, ...emitters) {
      needCount(count);
      if (emitters.length === 0) EventEmitter.defaultMaxListeners = count;
      for (const emitter of emitters) emitter.setMaxListeners?.(count);
    },
  });
  internal.EventEmitter = EventEmitter;
  internal.builtins['events'] = () => EventEmitter;
}
