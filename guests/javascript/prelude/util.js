//! `node:util`: what does Node's own module find in the globals?
(native, internal) => {
  const customPromisify = Symbol.for('nodejs.util.promisify.custom');
  Object.defineProperty(globalThis.setTimeout, customPromisify, { value: internal.timersPromises.setTimeout, configurable: true });
  Object.defineProperty(globalThis.setImmediate, customPromisify, { value: internal.timersPromises.setImmediate, configurable: true });
  internal.builtins['util/types'] = () => internal.node('internal/util/types');
  internal.builtins['assert/strict'] = () => internal.builtin('assert').strict;
  internal.builtins['path/posix'] = () => internal.builtin('path').posix;
  internal.builtins['path/win32'] = () => internal.builtin('path').win32;
}
