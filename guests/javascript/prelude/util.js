//! `node:util`: what does Node's own module find in the globals?
(native, internal) => {
  const customPromisify = Symbol.for('nodejs.util.promisify.custom');
  Object.defineProperty(globalThis.setTimeout, customPromisify, { value: internal.timersPromises.setTimeout, configurable: true });
  Object.defineProperty(globalThis.setImmediate, customPromisify, { value: internal.timersPromises.setImmediate, configurable: true });
  const escapes = /[\u001b\u009b][[\]()#;?]*(?:(?:(?:(?:;[-a-zA-Z\d\/\#&.:=?%@~_]+)*|[a-zA-Z\d]+(?:;[-a-zA-Z\d\/\#&.:=?%@~_]*)*)?(?:\u0007|\u001b\u005c|\u009c))|(?:(?:\d{1,4}(?:;\d{0,4})*)?[\dA-PR-TZcf-nq-uy=><~]))/g;
  internal.stripVTControlCharacters = (text) => {
    internal.node('internal/validators').validateString(text, 'str');
    return text.replace(escapes, '');
  };
  internal.builtins['util/types'] = () => internal.node('internal/util/types');
  internal.builtins['assert/strict'] = () => internal.builtin('assert').strict;
  internal.builtins['path/posix'] = () => internal.builtin('path').posix;
  internal.builtins['path/win32'] = () => internal.builtin('path').win32;
}
