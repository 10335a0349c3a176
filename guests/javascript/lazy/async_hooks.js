//! `node:async_hooks`: how does a program know what an asynchronous step belongs to?
//!
//! A frame is a map from storages to their stores, which is never changed. The engine keeps it with reactions of promises (`frames.c`), the
//! event loop with timers and ticks once this module has been asked for.
(native, internal) => {
  const bind = (fn, frame = native.frame()) => {
    const bound = function (...values) {
      const before = native.frame();
      native.setFrame(frame);
      try { return Reflect.apply(fn, this, values); } finally { native.setFrame(before); }
    };
    return Object.defineProperty(bound, 'name', { value: fn.name });
  };
  internal.inFrame = bind;
  class AsyncLocalStorage {
    #default; #isOff = false;
    constructor({ defaultValue, name = '' } = {}) { this.#default = defaultValue; Object.defineProperty(this, 'name', { value: name, configurable: true }); }
    static bind(fn) { return bind(fn); }
    static snapshot() { return bind((fn, ...values) => fn(...values)); }
    #with(store) { this.#isOff = false; return new Map(native.frame()).set(this, store); }
    run(store, fn, ...values) {
      const before = native.frame();
      native.setFrame(this.#with(store));
      try { return Reflect.apply(fn, null, values); } finally { native.setFrame(before); }
    }
    exit(fn, ...values) { return this.run(undefined, fn, ...values); }
    enterWith(store) { native.setFrame(this.#with(store)); }
    getStore() {
      const frame = native.frame();
      return this.#isOff || !frame?.has(this) ? this.#default : frame.get(this);
    }
    disable() { this.#isOff = true; }
  }
  let ids = 1;
  class AsyncResource {
    #frame = native.frame(); #id = ++ids;
    constructor(type) {
      if (typeof type !== 'string') throw internal.codedError(TypeError, 'ERR_INVALID_ARG_TYPE', `The "type" argument must be of type string. Received ${internal.received(type)}`);
      Object.defineProperty(this, 'type', { value: type });
    }
    runInAsyncScope(fn, self, ...values) { return Reflect.apply(bind(fn, this.#frame), self, values); }
    bind(fn, self) { return bind(self === undefined ? fn : fn.bind(self), this.#frame); }
    static bind(fn, type, self) { return new AsyncResource(type || fn.name || 'bound-anonymous-fn').bind(fn, self); }
    emitDestroy() { return this; }
    asyncId() { return this.#id; }
    triggerAsyncId() { return 1; }
  }
  const hook = { enable: () => hook, disable: () => hook };
  return { AsyncLocalStorage, AsyncResource, createHook: () => hook, executionAsyncId: () => 1, triggerAsyncId: () => 0, executionAsyncResource: () => ({}), asyncWrapProviders: Object.freeze({ __proto__: null, NONE: 0 }) };
}
