//! Shared helpers: what do the other files of the prelude use?
(native, internal) => {
  // There are no threads to share memory with.
  delete globalThis.SharedArrayBuffer;
  // The last digit as in V8, which scales by the largest and adds up with compensation.
  const { hypot } = { hypot(first, second) {
    const values = Array.from(arguments, (value) => Math.abs(+value));
    let most = 0, isNaN = false;
    for (const value of values) if (value !== value) isNaN = true; else if (value > most) most = value;
    if (most === Infinity || isNaN || most === 0) return most === Infinity ? most : isNaN ? NaN : 0;
    let sum = 0, lost = 0;
    for (const value of values) {
      const part = value / most, term = part * part - lost, next = sum + term;
      lost = next - sum - term;
      sum = next;
    }
    return Math.sqrt(sum) * most;
  } };
  Object.defineProperty(Math, 'hypot', { value: hypot, writable: true, enumerable: false, configurable: true });
  // A global as the specifications want it: not enumerable, but the program may replace it.
  internal.define = (name, value) => Object.defineProperty(globalThis, name, { value, writable: true, enumerable: false, configurable: true });
  // A global that is made when it is first looked at.
  internal.defineLazy = (name, make) => Object.defineProperty(globalThis, name, {
    get() { const value = make(); internal.define(name, value); return value; },
    set(value) { internal.define(name, value); },
    enumerable: false, configurable: true,
  });
  // Modules that the guest has inside, by name without `node:`; each is made when it is first asked for.
  internal.builtins = Object.create(null);
  // Parts that are not there before a program asks for them: of the prelude (`lazy/NAME.js`), and libraries of npm packages.
  const parts = new Map();
  const part = (name, make) => {
    if (!parts.has(name)) parts.set(name, make(native.lazyPart(name)));
    return parts.get(name);
  };
  internal.lazy = (name) => part(name, (make) => make(native, internal));
  // What a library requires from outside are the modules of Node; some name them with a slash at the end.
  internal.library = (name) => part(`library_${name}`, (make) => make((request) => internal.builtin(request.replace(/\/$/, ''))));
  internal.codedError = (Class, code, message) => {
    const error = new Class(message);
    error.code = code;
    return error;
  };
}
