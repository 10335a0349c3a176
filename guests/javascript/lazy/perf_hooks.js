//! `node:perf_hooks`: which marks and measures has the program made, and who observes them?
(native, internal) => {
  const { performance } = globalThis;
  const { codes } = internal.node('internal/errors');
  const KEY = Symbol('key');
  const MOST_ENTRIES = 1e6;
  let entries = [];
  const observers = new Set();
  const byTime = (list) => list.sort((one, other) => one.startTime - other.startTime);

  class PerformanceEntry {
    constructor(key, name, entryType, startTime, duration, detail) {
      if (key !== KEY) throw new codes.ERR_ILLEGAL_CONSTRUCTOR();
      for (const [field, value] of Object.entries({ name, entryType, startTime, duration })) Object.defineProperty(this, field, { value, enumerable: true, configurable: true });
      if (detail !== undefined) Object.defineProperty(this, 'detail', { value: detail, enumerable: true, configurable: true });
    }
    toJSON() { return { ...this }; }
  }
  class PerformanceMark extends PerformanceEntry {
    constructor(name, options) { super(KEY, `${name}`, 'mark', options?.startTime ?? performance.now(), 0, options?.detail === undefined ? null : structuredClone(options.detail)); }
  }
  class PerformanceMeasure extends PerformanceEntry {}

  class PerformanceObserverEntryList {
    #entries;
    constructor(list) { this.#entries = byTime(list); }
    getEntries() { return [...this.#entries]; }
    getEntriesByType(type) { return this.#entries.filter((entry) => entry.entryType === type); }
    getEntriesByName(name, type) { return this.#entries.filter((entry) => entry.name === name && (type === undefined || entry.entryType === type)); }
  }
  class PerformanceObserver {
    #callback; #types = []; #waiting = [];
    static supportedEntryTypes = Object.freeze(['function', 'gc', 'mark', 'measure']);
    constructor(callback) {
      internal.node('internal/validators').validateFunction(callback, 'callback');
      this.#callback = callback;
    }
    observe({ entryTypes, type, buffered } = {}) {
      if (entryTypes === undefined && type === undefined) throw new codes.ERR_MISSING_ARGS('options.entryTypes', 'options.type');
      this.#types = entryTypes ?? [...this.#types, type];
      observers.add(this);
      if (buffered) for (const entry of entries) Reflect.apply(note, this, [entry]);
    }
    disconnect() { observers.delete(this); this.#types = []; this.#waiting = []; }
    takeRecords() { return this.#waiting.splice(0); }
    note(entry) {
      if (!this.#types.includes(entry.entryType)) return;
      if (this.#waiting.push(entry) > 1) return;
      setImmediate(() => {
        const list = this.takeRecords();
        if (list.length > 0) this.#callback(new PerformanceObserverEntryList(list), this);
      });
    }
  }
  const { note } = PerformanceObserver.prototype;
  delete PerformanceObserver.prototype.note;
  const tell = (entry) => { for (const observer of observers) Reflect.apply(note, observer, [entry]); };
  const add = (entry) => {
    if (entries.length >= MOST_ENTRIES) entries = entries.slice(MOST_ENTRIES / 2);
    entries.push(entry);
    tell(entry);
    return entry;
  };

  const timeOf = (mark, otherwise) => {
    if (mark === undefined) return otherwise;
    if (typeof mark === 'number') return mark;
    const found = entries.findLast((entry) => entry.entryType === 'mark' && entry.name === `${mark}`);
    if (found === undefined) throw new DOMException(`The "${mark}" performance mark has not been set`, 'SyntaxError');
    return found.startTime;
  };
  const clear = (type, name) => { entries = entries.filter((entry) => entry.entryType !== type || (name !== undefined && entry.name !== name)); };
  const methods = {
    mark: (name, options) => add(new PerformanceMark(name, options)),
    measure(name, from, to) {
      const { start, end, duration, detail } = from !== null && typeof from === 'object' ? from : { start: from, end: to };
      const last = timeOf(end, undefined) ?? (duration !== undefined && start !== undefined ? timeOf(start) + duration : performance.now());
      const first = timeOf(start, undefined) ?? (duration !== undefined ? last - duration : 0);
      return add(new PerformanceMeasure(KEY, `${name}`, 'measure', first, last - first, detail === undefined ? null : structuredClone(detail)));
    },
    getEntries: () => byTime([...entries]),
    getEntriesByName: (name, type) => byTime(entries.filter((entry) => entry.name === `${name}` && (type === undefined || entry.entryType === type))),
    getEntriesByType: (type) => byTime(entries.filter((entry) => entry.entryType === type)),
    clearMarks: (name) => clear('mark', name),
    clearMeasures: (name) => clear('measure', name),
    timerify(run) {
      internal.node('internal/validators').validateFunction(run, 'fn');
      const timed = function (...values) {
        const startTime = performance.now();
        const result = new.target ? Reflect.construct(run, values, run) : Reflect.apply(run, this, values);
        tell(new PerformanceEntry(KEY, run.name, 'function', startTime, performance.now() - startTime, values));
        return result;
      };
      Object.defineProperties(timed, { name: { value: `timerified ${run.name}`, configurable: true }, length: { value: run.length, configurable: true } });
      return timed;
    },
    eventLoopUtilization: () => ({ idle: 0, active: 0, utilization: 0 }),
  };
  const exports = {
    PerformanceEntry, PerformanceMark, PerformanceMeasure, PerformanceObserver, PerformanceObserverEntryList, performance,
    constants: {}, eventLoopUtilization: methods.eventLoopUtilization, timerify: methods.timerify,
  };
  return { methods, exports };
}
