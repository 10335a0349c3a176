//! `DOMException`, `atob`, `btoa` and `Promise.any`: how do they differ from the engine's own?
//!
//! The engine has its own, but those are not errors to it: their stack has no heading.
(native, internal) => {
  const { define } = internal;
  const codes = {
    IndexSizeError: 1, HierarchyRequestError: 3, WrongDocumentError: 4, InvalidCharacterError: 5, NoModificationAllowedError: 7, NotFoundError: 8,
    NotSupportedError: 9, InUseAttributeError: 10, InvalidStateError: 11, SyntaxError: 12, InvalidModificationError: 13, NamespaceError: 14,
    InvalidAccessError: 15, TypeMismatchError: 17, SecurityError: 18, NetworkError: 19, AbortError: 20, URLMismatchError: 21, QuotaExceededError: 22,
    TimeoutError: 23, InvalidNodeTypeError: 24, DataCloneError: 25,
  };
  class DOMException extends Error {
    #name;
    constructor(message = '', options = 'Error') {
      super(`${message}`);
      this.#name = `${typeof options === 'object' && options !== null ? options.name ?? 'Error' : options}`;
      if (typeof options === 'object' && options !== null && 'cause' in options) Object.defineProperty(this, 'cause', { value: options.cause, writable: true, configurable: true });
    }
    get name() { return #name in this ? this.#name : 'Error'; }
    get code() { return #name in this ? codes[this.#name] ?? 0 : 0; }
  }
  for (const [name, code] of Object.entries(codes)) {
    const constant = `${name.replace(/Error$/, '').replace(/([a-z])([A-Z])/g, '$1_$2').toUpperCase()}_ERR`;
    for (const holder of [DOMException, DOMException.prototype]) Object.defineProperty(holder, constant, { value: code, enumerable: true });
  }
  Object.defineProperty(DOMException.prototype, Symbol.toStringTag, { value: 'DOMException', configurable: true });
  define('DOMException', DOMException);

  // The engine gives the error of `Promise.any` no message.
  const any = Promise.any;
  const explain = (error) => {
    if (error instanceof AggregateError && error.message === '') Object.defineProperty(error, 'message', { value: 'All promises were rejected', writable: true, configurable: true });
    throw error;
  };
  Object.defineProperty(Promise, 'any', { value: { any(promises) { return any.call(this, promises).then(undefined, explain); } }.any, writable: true, configurable: true });

  define('btoa', function btoa(text) {
    text = `${text}`;
    const bytes = new Uint8Array(text.length);
    for (let i = 0; i < text.length; i++) {
      const code = text.charCodeAt(i);
      if (code > 255) throw new DOMException('Invalid character', 'InvalidCharacterError');
      bytes[i] = code;
    }
    return bytes.toBase64();
  });
  define('atob', function atob(text) {
    let clean = `${text}`.replace(/[\t\n\f\r ]/g, '');
    if (clean.length % 4 === 0) clean = clean.replace(/==?$/, '');
    if (clean.length % 4 === 1 || /[^A-Za-z0-9+/]/.test(clean)) throw new DOMException('The string to be decoded is not correctly encoded.', 'InvalidCharacterError');
    return internal.decodeLatin1(Uint8Array.fromBase64(clean));
  });
}
