//! `structuredClone`: what does it copy?
(native, internal) => {
  const { classOf } = native;
  const errorClasses = { Error, EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError };

  const refuse = (value) => {
    let shown;
    try { shown = typeof value === 'function' ? Function.prototype.toString.call(value) : typeof value === 'symbol' ? value.toString() : `#<${internal.constructorName(value) ?? 'Object'}>`; } catch { shown = 'value'; }
    throw new DOMException(`${shown} could not be cloned.`, 'DataCloneError');
  };

  const copyBuffer = (buffer, state) => {
    if (state.transfer.has(buffer)) return buffer.transfer();
    return buffer.slice(0);
  };
  const copyView = (view, kind, state) => {
    const buffer = copy(view.buffer, state);
    const Class = kind === 'DataView' ? DataView : globalThis[Object.getPrototypeOf(Uint8Array).prototype.__lookupGetter__(Symbol.toStringTag).call(view)];
    return new Class(buffer, view.byteOffset, kind === 'DataView' ? view.byteLength : view.length);
  };
  const copyError = (error, state) => {
    const name = errorClasses[error.name] ? error.name : 'Error';
    const target = Reflect.construct(Error, [], errorClasses[name]);
    state.seen.set(error, target);
    const message = Object.getOwnPropertyDescriptor(error, 'message');
    if (message && 'value' in message) Object.defineProperty(target, 'message', { value: `${message.value}`, writable: true, configurable: true });
    if (Object.hasOwn(error, 'cause')) Object.defineProperty(target, 'cause', { value: copy(error.cause, state), writable: true, configurable: true });
    if (typeof error.stack === 'string') Object.defineProperty(target, 'stack', { value: error.stack, writable: true, configurable: true });
    return target;
  };

  const copyProperties = (from, to, state) => {
    for (const key of Object.keys(from)) to[key] = copy(from[key], state);
    return to;
  };

  const copyObject = (value, kind, state) => {
    const remember = (result) => { state.seen.set(value, result); return result; };
    if (Array.isArray(value)) {
      const result = remember([]);
      result.length = value.length;
      return copyProperties(value, result, state);
    }
    switch (kind) {
      case undefined:
        if (internal.isBlob(value)) return remember(value instanceof internal.File ? new internal.File([value], value.name, value) : value.slice(0, value.size, value.type));
        break;
      case 'Number': case 'String': case 'Boolean': case 'BigInt': return remember(Object(globalThis[kind].prototype.valueOf.call(value)));
      case 'Date': return remember(new Date(Date.prototype.getTime.call(value)));
      case 'RegExp': return remember(new RegExp(value.source, value.flags));
      case 'ArrayBuffer': return remember(copyBuffer(value, state));
      case 'TypedArray': case 'DataView': return remember(copyView(value, kind, state));
      case 'Map': {
        const result = remember(new Map());
        for (const [key, item] of [...Map.prototype.entries.call(value)]) result.set(copy(key, state), copy(item, state));
        return result;
      }
      case 'Set': {
        const result = remember(new Set());
        for (const item of [...Set.prototype.values.call(value)]) result.add(copy(item, state));
        return result;
      }
      case 'Error': return value instanceof DOMException ? remember(new DOMException(value.message, value.name)) : copyError(value, state);
      case 'Arguments': break;
      default: refuse(value);
    }
    return copyProperties(value, remember({}), state);
  };

  const copy = (value, state) => {
    if (typeof value === 'symbol' || typeof value === 'function') refuse(value);
    if (typeof value !== 'object' || value === null) return value;
    if (state.seen.has(value)) return state.seen.get(value);
    return copyObject(value, classOf(value), state);
  };

  internal.define('structuredClone', function structuredClone(value, options) {
    if (arguments.length === 0) throw internal.codedError(TypeError, 'ERR_MISSING_ARGS', 'The "value" argument must be specified');
    const transfer = new Set(options?.transfer ?? []);
    for (const item of transfer) if (classOf(item) !== 'ArrayBuffer') throw new DOMException('Found invalid object in transferList', 'DataCloneError');
    for (const item of transfer) if (item.detached) throw new DOMException('Cannot transfer object of unsupported type.', 'DataCloneError');
    const result = copy(value, { seen: new Map(), transfer });
    for (const item of transfer) if (!item.detached) item.transfer();
    return result;
  });
}
