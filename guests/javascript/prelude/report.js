//! Result report: how are an uncaught error and the value of the last expression described?
(native, internal) => {
  const { inspect } = internal;
  // What `Error.prepareStackTrace` gets for each frame, as far as the engine knows it.
  Error.prepareStackTrace = (error, sites) => sites;
  const CallSite = Object.getPrototypeOf(new Error().stack[0]);
  Error.prepareStackTrace = undefined;
  for (const [name, value] of [['getThis', undefined], ['getTypeName', null], ['getFunction', undefined], ['getMethodName', null], ['getEvalOrigin', undefined], ['getPromiseIndex', null], ['isToplevel', true], ['isEval', false], ['isConstructor', false], ['isAsync', false], ['isPromiseAll', false]]) {
    Object.defineProperty(CallSite, name, { value: () => value, writable: true, enumerable: false, configurable: true });
  }
  const moreOfSites = {
    getScriptNameOrSourceURL() { return this.getFileName(); },
    getEnclosingLineNumber() { return this.getLineNumber(); },
    getEnclosingColumnNumber() { return this.getColumnNumber(); },
    toString() {
      const place = `${this.getFileName() ?? '<anonymous>'}:${this.getLineNumber()}:${this.getColumnNumber()}`;
      return this.getFunctionName() ? `${this.getFunctionName()} (${this.isNative() ? 'native' : place})` : place;
    },
  };
  for (const [name, value] of Object.entries(moreOfSites)) Object.defineProperty(CallSite, name, { value, writable: true, enumerable: false, configurable: true });

  // One of an old class, which is a function, has frames by `Error.captureStackTrace`.
  const isOldError = (value) => Object.hasOwn(value, 'stack') && value instanceof Error && native.classOf(value) === undefined && typeof value.stack === 'string';
  const isError = (value) => native.classOf(value) === 'Error' || (typeof value === 'object' && value !== null && isOldError(value));
  const textOr = (make, otherwise) => { try { return String(make()); } catch { return otherwise; } };

  // `main.js:3` with the line and a caret, for an error whose topmost frame is in the program's own text.
  const excerpt = (stack, name, text) => {
    const frame = /\n    at (?:[^\n]*\()?([^\n()]+):(\d+):(\d+)\)?/.exec(stack);
    if (!frame) return '';
    const [, file, line, column] = frame;
    const source = file === name ? text.split('\n', +line)[+line - 1] : undefined;
    if (file !== name && !file.startsWith('/')) return '';
    if (source === undefined || source.length > 200) return `${file}:${line}\n\n`;
    return `${file}:${line}\n${source}\n${' '.repeat(Math.max(0, +column - 1))}^\n\n`;
  };

  const rejection = (reason) => '[UnhandledPromiseRejection: This error originated either by throwing inside of an async function without a catch block, ' +
    `or by rejecting a promise which was not handled with .catch(). The promise rejected with the reason "${reason}".] {\n  code: 'ERR_UNHANDLED_REJECTION'\n}`;

  // [class, message, whole report]
  internal.report = (error, isRejection, name, text) => {
    if (!isError(error)) {
      if (isRejection) {
        const reason = textOr(() => (typeof error === 'string' ? error : inspect(error)), 'unknown');
        return ['UnhandledPromiseRejection', reason, rejection(reason)];
      }
      const kind = textOr(() => (error === null || error === undefined ? `${error}` : error.constructor?.name || 'Object'), 'Object');
      const shown = textOr(() => inspect(error), 'unknown');
      return [kind, typeof error === 'string' ? error : textOr(() => error.message ?? shown, shown), `Uncaught:\n${shown}`];
    }
    const kind = textOr(() => error.name || error.constructor.name, 'Error');
    const stack = textOr(() => error.stack, kind);
    // Without frames it stands in brackets, but not as the whole report.
    const shown = textOr(() => inspect(error).replace(/^\[([^]*?)\](?=$| \{)/, '$1'), stack);
    const className = kind === 'Error' ? textOr(() => internal.constructorName(error) ?? kind, kind) : kind;
    return [className || 'Error', textOr(() => error.message, ''), excerpt(stack, name, text) + shown];
  };

  // JSON only for what comes back from it the same.
  const isPlain = (value, holders) => {
    switch (typeof value) {
      case 'string': case 'boolean': return true;
      case 'number': return Number.isFinite(value) && !Object.is(value, -0);
      case 'object': break;
      default: return false;
    }
    if (value === null) return true;
    if (holders.length > 200 || holders.includes(value) || native.classOf(value) === 'Proxy') return false;
    const prototype = Object.getPrototypeOf(value);
    const keys = Reflect.ownKeys(value);
    holders.push(value);
    let answer;
    if (Array.isArray(value)) {
      answer = prototype === Array.prototype && keys.length === value.length + 1 && typeof value.toJSON !== 'function' && value.every((item) => isPlain(item, holders));
    } else {
      answer = (prototype === Object.prototype || prototype === null) && native.classOf(value) === undefined && keys.every((key) => {
        if (typeof key === 'symbol' || key === '__proto__' || key === 'toJSON') return false;
        const { get, set, enumerable, value: item } = Object.getOwnPropertyDescriptor(value, key);
        return enumerable && !get && !set && isPlain(item, holders);
      });
    }
    holders.pop();
    return answer;
  };

  // Results go to the host as they are shown; what it does not take, it says.
  internal.sendResult = (json) => {
    const [taken, , message] = native.finishCall(native.startCall('show', json));
    return taken === undefined ? message : undefined;
  };
  internal.complain = (text) => { native.write(2, text); };
  internal.isProxy = (value) => native.classOf(value) === 'Proxy';

  internal.describe = (value) => {
    // The common ones at once.
    if (typeof value === 'number') {
      const text = internal.showNumber(value);
      return [Number.isFinite(value) && text !== '-0' ? text : undefined, text];
    }
    if (typeof value === 'boolean') return [`${value}`, `${value}`];
    internal.showValue(value);
    let json;
    try { if (isPlain(value, [])) json = JSON.stringify(value); } catch { /* as too deep */ }
    return [json, inspect(value)];
  };

  // "Received ..." of messages about arguments.
  internal.received = (value) => {
    if (value === null || value === undefined) return `${value}`;
    if (typeof value === 'function') return `function ${value.name}`;
    if (typeof value === 'object') return value.constructor?.name ? `an instance of ${value.constructor.name}` : inspect(value, { depth: -1 });
    let shown = inspect(value, { colors: false });
    if (shown.length > 28) shown = `${shown.slice(0, 25)}...`;
    return `type ${typeof value} (${shown})`;
  };
}
