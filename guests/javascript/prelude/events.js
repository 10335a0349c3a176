//! `EventTarget` and `AbortController`: which events can a program dispatch, and how does it abort?
(native, internal) => {
  const { define, codedError } = internal;
  const tag = (Class) => {
    Object.defineProperty(Class.prototype, Symbol.toStringTag, { value: Class.name, configurable: true });
    define(Class.name, Class);
  };

  class Event {
    #type; #options; #stopped = false; #prevented = false; #dispatching = false;
    _target = null; _stopNow = false;
    constructor(type, options = {}) {
      if (arguments.length === 0) throw new TypeError('The "type" argument must be specified');
      this.#type = `${type}`;
      this.#options = options ?? {};
      for (const name of ['_target', '_stopNow']) Object.defineProperty(this, name, { enumerable: false, writable: true });
      Object.defineProperty(this, 'timeStamp', { value: globalThis.performance.now(), enumerable: true });
    }
    get type() { return this.#type; }
    get target() { return this._target; }
    get currentTarget() { return this._target; }
    get srcElement() { return this._target; }
    get bubbles() { return Boolean(this.#options.bubbles); }
    get cancelable() { return Boolean(this.#options.cancelable); }
    get composed() { return Boolean(this.#options.composed); }
    get defaultPrevented() { return this.#prevented; }
    get returnValue() { return !this.#prevented; }
    get cancelBubble() { return this.#stopped; }
    get isTrusted() { return false; }
    get eventPhase() { return this._target ? 2 : 0; }
    composedPath() { return this._target ? [this._target] : []; }
    preventDefault() { if (this.cancelable) this.#prevented = true; }
    stopPropagation() { this.#stopped = true; }
    stopImmediatePropagation() { this.#stopped = true; this._stopNow = true; }
  }
  Object.assign(Event, { NONE: 0, CAPTURING_PHASE: 1, AT_TARGET: 2, BUBBLING_PHASE: 3 });
  class CustomEvent extends Event {
    #detail;
    constructor(type, options) { super(type, options); this.#detail = options?.detail ?? null; }
    get detail() { return this.#detail; }
  }

  class EventTarget {
    #listeners = new Map();
    addEventListener(type, listener, options) {
      if (listener === null || listener === undefined) return;
      const { once = false, signal, capture = false } = typeof options === 'object' && options !== null ? options : { capture: Boolean(options) };
      if (signal?.aborted) return;
      const list = this.#listeners.get(`${type}`) ?? [];
      if (list.some((one) => one.listener === listener && one.capture === capture)) return;
      list.push({ listener, once, capture, resists: options?.[internal.resistStop] === true });
      this.#listeners.set(`${type}`, list);
      signal?.addEventListener('abort', () => this.removeEventListener(type, listener, options), { once: true });
    }
    _chain(type) { return { next: (this.#listeners.get(`${type}`) ?? []).reduceRight((next, { listener }) => ({ listener, next }), undefined) }; }
    removeEventListener(type, listener, options) {
      const capture = typeof options === 'object' && options !== null ? Boolean(options.capture) : Boolean(options);
      const list = this.#listeners.get(`${type}`);
      const at = list?.findIndex((one) => one.listener === listener && one.capture === capture) ?? -1;
      if (at >= 0) this.#listeners.set(`${type}`, list.toSpliced(at, 1));
    }
    dispatchEvent(event) {
      if (!(event instanceof Event)) throw codedError(TypeError, 'ERR_INVALID_ARG_TYPE', `The "event" argument must be an instance of Event. Received ${internal.received(event)}`);
      event._target = this;
      for (const { listener, once, capture, resists } of this.#listeners.get(event.type) ?? []) {
        if (event._stopNow && !resists) continue;
        if (once) this.removeEventListener(event.type, listener, { capture });
        try {
          if (typeof listener === 'function') listener.call(this, event);
          else listener.handleEvent?.(event);
        } catch (error) {
          internal.nextTick(() => { throw error; }, []);
        }
      }
      return !event.defaultPrevented;
    }
  }

  const handlerProperty = (Class, type) => {
    const handlers = new WeakMap();
    Object.defineProperty(Class.prototype, `on${type}`, {
      get() { return handlers.get(this)?.handler ?? null; },
      set(handler) {
        if (!handlers.has(this)) {
          const slot = { handler: null };
          handlers.set(this, slot);
          this.addEventListener(type, (event) => slot.handler?.call(this, event));
        }
        handlers.get(this).handler = typeof handler === 'function' ? handler : null;
      },
      enumerable: true, configurable: true,
    });
  };

  // What Node's `getEventListeners` looks at: a chain for each type.
  internal.eventsOf = Symbol('kEvents');
  const chainOf = EventTarget.prototype._chain;
  delete EventTarget.prototype._chain;
  Object.defineProperty(EventTarget.prototype, internal.eventsOf, { get() { return { get: (type) => chainOf.call(this, type) }; } });

  const key = Symbol('signal');
  class AbortSignal extends EventTarget {
    #aborted = false; #reason;
    constructor(from) {
      if (from !== key) throw codedError(TypeError, 'ERR_ILLEGAL_CONSTRUCTOR', 'Illegal constructor');
      super();
    }
    get aborted() { return this.#aborted; }
    get reason() { return this.#reason; }
    throwIfAborted() { if (this.#aborted) throw this.#reason; }
    static _abort(signal, reason = new DOMException('This operation was aborted', 'AbortError')) {
      if (signal.#aborted) return;
      signal.#aborted = true;
      signal.#reason = reason;
      signal.dispatchEvent(new Event('abort'));
    }
    static abort(reason) {
      const signal = new AbortSignal(key);
      abort(signal, reason);
      return signal;
    }
    static timeout(milliseconds) {
      const signal = new AbortSignal(key);
      setTimeout(() => abort(signal, new DOMException('The operation was aborted due to timeout', 'TimeoutError')), milliseconds).unref();
      return signal;
    }
    static any(signals) {
      const signal = new AbortSignal(key);
      for (const one of signals) {
        if (one.aborted) { abort(signal, one.reason); break; }
        one.addEventListener('abort', () => abort(signal, one.reason), { once: true });
      }
      return signal;
    }
  }
  const abort = AbortSignal._abort;
  delete AbortSignal._abort;
  handlerProperty(AbortSignal, 'abort');
  class AbortController {
    #signal = new AbortSignal(key);
    get signal() { return this.#signal; }
    abort(reason) { abort(this.#signal, reason); }
  }
  const shown = (Class, fields) => Object.defineProperty(Class.prototype, internal.inspect.custom, {
    value(depth, options, inspect) { return `${Class.name} ${inspect(fields(this), options)}`; }, writable: true, configurable: true,
  });
  Object.defineProperty(Event.prototype, internal.inspect.custom, {
    value(depth, options, inspect) {
      const { name } = this.constructor;
      if (depth < 0) return name;
      const { type, defaultPrevented, cancelable, timeStamp } = this;
      return `${name} ${inspect({ type, defaultPrevented, cancelable, timeStamp }, { ...options, depth: Number.isInteger(options.depth) ? options.depth - 1 : options.depth })}`;
    },
    writable: true, configurable: true,
  });
  shown(AbortSignal, ({ aborted }) => ({ aborted }));
  shown(AbortController, ({ signal }) => ({ signal }));
  [Event, CustomEvent, EventTarget, AbortSignal, AbortController].forEach(tag);
  internal.abortError = (signal) => {
    const error = codedError(Error, 'ABORT_ERR', 'The operation was aborted');
    Object.defineProperty(error, 'name', { value: 'AbortError', writable: true, enumerable: false, configurable: true });
    if (signal?.reason !== undefined) Object.defineProperty(error, 'cause', { value: signal.reason, writable: true, enumerable: false, configurable: true });
    return error;
  };
}
