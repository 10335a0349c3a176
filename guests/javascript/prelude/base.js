//! Shared helpers: what do the other files of the prelude use?
(native, internal) => {
  // There are no threads to share memory with.
  delete globalThis.SharedArrayBuffer;
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
  internal.codedError = (Class, code, message) => {
    const error = new Class(message);
    error.code = code;
    return error;
  };
}
