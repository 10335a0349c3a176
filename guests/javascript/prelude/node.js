//! Node's own library: how do its modules run here?
//!
//! The files of Node's `lib/` that `toolchain/node.txt` names are in the guest as they are, as bytecode that is read when a module is first
//! asked for. What they ask V8 and libuv for, through `internalBinding`, is here and in `lazy/node_bindings.js`; what of Node's inside has no
//! meaning in the sandbox has a stand-in by its name.
(native, internal) => {
  const { classOf } = native;
  const made = new Map(), bindings = new Map();
  const primordials = {};
  // The object that will be `process`: Node's modules look at it while they load.
  const process = internal.process = {
    platform: 'wasi', arch: 'wasm32', version: 'v22.0.0', versions: { node: '22.0.0', quickjs: 'ng' }, emitWarning: (...values) => internal.emitWarning(...values),
    binding() { throw new Error('process.binding is not supported'); },
  };
  const symbols = new Map();
  const named = new Proxy({}, {
    get(target, name) {
      if (!symbols.has(name)) symbols.set(name, Symbol(name));
      return symbols.get(name);
    },
  });

  const isView = (value, name) => ArrayBuffer.isView(value) && value[Symbol.toStringTag] === name;
  const is = (...names) => (value) => names.includes(classOf(value));
  // Functions of C are not enumerable, but those of `util.types` are.
  const checks = native.typeChecks();
  const types = {
    ...Object.fromEntries(Object.getOwnPropertyNames(checks).map((name) => [name, checks[name]])), isExternal: () => false, isSharedArrayBuffer: () => false, isEventTarget: (value) => value instanceof globalThis.EventTarget,
  };

  // The engine does not list what a weak collection holds.
  const previewEntries = (value, hasKind) => {
    const entries = native.iteratorEntries(value) ?? [[], false];
    return hasKind ? entries : entries[0];
  };
  // For an object whose prototypes have no constructor: what the engine made it.
  const classNameOf = (value) => {
    if (typeof value === 'function') return 'Function';
    const name = classOf(value);
    return name === undefined || name === 'Arguments' || name === 'Generator' || name === 'AsyncGenerator' ? 'Object' : name;
  };

  const ONLY_ENUMERABLE = 2, SKIP_SYMBOLS = 16;
  const isIndex = (key) => typeof key === 'string' && /^(?:0|[1-9]\d{0,9})$/.test(key) && Number(key) < 2 ** 32 - 1;
  const make = {
    util: () => ({
      constants: {
        kPending: 0, kFulfilled: 1, kRejected: 2, ALL_PROPERTIES: 0, ONLY_WRITABLE: 1, ONLY_ENUMERABLE, ONLY_CONFIGURABLE: 4, SKIP_STRINGS: 8, SKIP_SYMBOLS,
        kDisallowCloneAndTransfer: 0, kTransferable: 1, kCloneable: 2, kExiting: 0, kExitCode: 1, kHasExitCode: 2,
      },
      privateSymbols: named, shouldAbortOnUncaughtToggle: [0], isInsideNodeModules: () => false, sleep() {}, guessHandleType: () => 'FILE',
      getOwnNonIndexProperties: (value, filter) => native.namedKeys(value, filter) ?? Reflect.ownKeys(value).filter((key) => !isIndex(key) &&
        (!(filter & ONLY_ENUMERABLE) || Object.prototype.propertyIsEnumerable.call(value, key)) && (!(filter & SKIP_SYMBOLS) || typeof key === 'string')),
      getPromiseDetails: native.promiseDetails, getProxyDetails: native.proxyDetails, previewEntries: (value, hasKind) => previewEntries(value, hasKind),
      getConstructorName: (value) => classNameOf(value), getCallerLocation: () => undefined, isConstructor: (value) => { try { Reflect.construct(Object, [], value); return true; } catch { return false; } },
      isArrayBufferDetached: (buffer) => buffer.detached === true, arrayBufferViewHasBuffer: () => true, toUSVString: (text) => `${text}`.toWellFormed(), getCallSites: (count) => callSites(count),
      getSystemErrorName: (number) => internal.errorNames().get(number)?.[0], getSystemErrorMessage: (number) => internal.errorNames().get(number)?.[1], parseEnv: (text) => internal.lazy('node_bindings').parseEnv(text),
      defineLazyProperties(target, id, names, isEnumerable = true) {
        for (const name of names) {
          const set = (value) => Object.defineProperty(target, name, { value, writable: true, enumerable: isEnumerable, configurable: true });
          const get = () => { const value = node(id)[name]; set(value); return value; };
          for (const [method, key] of [[get, name], [set, name]]) Object.defineProperty(method, 'name', { value: key });
          Object.defineProperty(target, name, { get, set, enumerable: isEnumerable, configurable: true });
        }
      },
      WeakReference: class { #value; constructor(value) { this.#value = value; } get() { return this.#value; } incRef() {} decRef() {} },
    }),
    types: () => types,
    constants: () => ({ get os() { return { signals: internal.signals, errno: {} }; }, get fs() { return internal.fsConstants; }, get zlib() { return internal.lazy('node_bindings').zlibConstants; }, trace: {}, internal: { EXTENSIONLESS_FORMAT_JAVASCRIPT: 0 } }),
    config: () => ({ hasIntl: false, hasInspector: false, noBrowserGlobals: false, hasOpenSSL: false, fipsMode: false, hasTracing: false }),
    string_decoder: () => ({
      encodings: ['ascii', 'utf8', 'base64', 'utf16le', 'latin1', 'hex', 'buffer', 'base64url'], kIncompleteCharactersStart: 0, kIncompleteCharactersEnd: 4, kMissingBytes: 4, kBufferedBytes: 5, kEncodingField: 6, kNumFields: 7,
      kSize: 7, decode: (state, chunk) => internal.lazy('node_bindings').decode(state, chunk), flush: (state) => internal.lazy('node_bindings').flush(state),
    }),
    uv: () => ({
      getErrorMap: () => internal.errorNames(), errname: (number) => internal.errorNames().get(number)?.[0] ?? `Unknown system error ${number}`,
      ...Object.fromEntries([...internal.errorNames()].map(([number, [name]]) => [`UV_${name}`, number])), UV_EOF: -4095,
    }),
    messaging: () => ({ DOMException: globalThis.DOMException }),
    symbols: () => named,
    os: () => ({ getOSInformation: () => ['', '', '', ''] }),
    buffer: () => internal.bufferBinding,
    encoding_binding: () => ({ toASCII: internal.hostToAscii, toUnicode: internal.hostToUnicode }),
    trace_events: () => ({ trace() {}, isTraceCategoryEnabled: () => false, setTraceCategoryStateUpdateHandler() {}, available: false }),
    errors: () => ({ triggerUncaughtException(error) { internal.nextTick(() => { throw error; }, []); }, exitCodes: { kNoFailure: 0, kGenericUserError: 1 } }),
  };
  const internalBinding = (name) => {
    if (!bindings.has(name)) bindings.set(name, make[name] ? make[name]() : internal.lazy('node_bindings').binding(name));
    return bindings.get(name);
  };

  const callSites = (count) => new Error().stack.split('\n').slice(2, 2 + count).map((line) => {
    const [, functionName = '', scriptName, lineNumber, column] = /^\s*at (?:(.*?) \()?(.*?):(\d+):(\d+)\)?$/.exec(line) ?? [];
    return { functionName, scriptId: '0', scriptName, lineNumber: Number(lineNumber), column: Number(column), columnNumber: Number(column) };
  });
  const later = (get) => new Proxy({}, { get: (target, name) => get()[name] });
  class AsyncResource {
    constructor(type) { this.type = type; }
    runInAsyncScope(run, self, ...values) { return Reflect.apply(run, self, values); }
    emitDestroy() { return this; }
    asyncId() { return 1; }
    triggerAsyncId() { return 1; }
    bind(run) { return run.bind(null); }
    static bind(run) { return run; }
  }
  const option = (name) => (name === '--stack-trace-limit' ? 10 : name === '--eval' ? '' : undefined);
  // What stands for modules of Node's inside.
  const standIns = {
    'internal/options': () => ({ getOptionValue: option, getEmbedderOptions: () => ({}), getAllowUnauthorized: () => false, refreshOptions() {} }),
    // With the part that asks ICU for the width of a text.
    'internal/util/inspect': (module) => {
      const bindings = { config: { hasIntl: true }, icu: { getStringWidth: (text) => internal.columns(text) } };
      native.lazyPart('node:internal/util/inspect')(module.exports, node, module, process, (name) => bindings[name] ?? internalBinding(name), primordials);
      return module.exports;
    },
    'internal/event_target': () => ({ Event: globalThis.Event, EventTarget: globalThis.EventTarget, isEventTarget: types.isEventTarget, kEvents: internal.eventsOf, kResistStopPropagation: named.kResistStopPropagation, kWeakHandler: named.kWeakHandler, kEnhanceStackBeforeInspector: named.kEnhance }),
    'internal/abort_controller': () => ({ AbortController: globalThis.AbortController, AbortSignal: globalThis.AbortSignal, aborted: (signal) => internal.lazy('node_bindings').aborted(signal), transferableAbortSignal: (signal) => signal, transferableAbortController: () => new globalThis.AbortController() }),
    'internal/url': () => internal.urlParts,
    'internal/blob': () => ({ Blob: globalThis.Blob, isBlob: (value) => value instanceof globalThis.Blob, resolveObjectURL: () => undefined }),
    'internal/file': () => ({ File: globalThis.File }),
    'internal/encoding': () => ({ TextEncoder: globalThis.TextEncoder, TextDecoder: globalThis.TextDecoder }),
    'internal/webstreams/readablestream': () => ({ ReadableStream: globalThis.ReadableStream, isReadableStream: (value) => value instanceof globalThis.ReadableStream, isReadableStreamDefaultReader: (value) => value instanceof globalThis.ReadableStreamDefaultReader }),
    'internal/webstreams/writablestream': () => ({ WritableStream: globalThis.WritableStream, isWritableStream: (value) => value instanceof globalThis.WritableStream, isWritableStreamDefaultWriter: (value) => value instanceof globalThis.WritableStreamDefaultWriter }),
    'internal/webstreams/queuingstrategies': () => ({ CountQueuingStrategy: globalThis.CountQueuingStrategy, ByteLengthQueuingStrategy: globalThis.ByteLengthQueuingStrategy }),
    'internal/webstreams/util': () => ({ kState: named.kState }),
    'internal/console/global': () => globalThis.console,
    'diagnostics_channel': () => internal.builtin('diagnostics_channel'),
    'internal/async_hooks': () => ({ symbols: named, defaultTriggerAsyncIdScope: (id, run, ...values) => run(...values) }),
    async_hooks: () => ({ AsyncResource }),
    'internal/process/permission': () => ({ isEnabled: () => false, has: () => true }),
    'internal/process/execution': () => ({ tryGetCwd: () => internal.cwd() }),
    'internal/process/task_queues': () => ({ queueMicrotask: globalThis.queueMicrotask, nextTick: (callback, ...values) => internal.nextTick(callback, values) }),
    'internal/worker/js_transferable': () => ({ markTransferMode() {}, kClone: named.kClone, kDeserialize: named.kDeserialize, kTransfer: named.kTransfer, kTransferList: named.kTransferList, structuredClone: globalThis.structuredClone }),
    'internal/v8/startup_snapshot': () => ({ isBuildingSnapshot: () => false, namespace: { isBuildingSnapshot: () => false, addDeserializeCallback() {} }, addDeserializeCallback() {} }),
    'internal/bootstrap/realm': () => ({ BuiltinModule: { exists: (name) => name in internal.builtins } }),
    'internal/tty': () => ({ getColorDepth: () => 1, hasColors: () => false }),
    'internal/errors/error_source': () => ({ getErrorSourceExpression: (error) => internal.lazy('node_bindings').sourceOf(error) }),
    'internal/crypto/keys': () => ({ isKeyObject: () => false, isCryptoKey: () => false }),
    'internal/source_map/source_map_cache': () => ({ getSourceMapsSupport: () => ({ enabled: false }) }),
    'internal/util/colors': () => ({ blue: '', green: '', white: '', yellow: '', red: '', gray: '', clear: '', reset: '', undim: '', hasColors: false, shouldColorize: () => false, refresh() {} }),
    'internal/util/trace_sigint': () => ({ setTraceSigInt() {} }),
    timers: () => internal.builtin('timers'),
    'internal/fs/watchers': () => internal.lazy('node_bindings').watchers,
    'internal/fs/recursive_watch': () => internal.lazy('node_bindings').watchers,
    'internal/deps/minimatch/index': () => internal.library('minimatch').minimatch(),
    vm: () => ({ runInNewContext: () => globalThis }),
  };

  // What Node does with some modules when it starts.
  const ready = {
    'internal/util/debuglog': ({ initializeDebugEnv }) => initializeDebugEnv(globalThis.process?.env.NODE_DEBUG),
    events: (EventEmitter) => {
      const key = EventEmitter.kMaxEventTargetListeners;
      Object.defineProperty(globalThis.EventTarget.prototype, key, {
        get() { return this instanceof globalThis.AbortSignal ? 0 : EventEmitter.defaultMaxListeners; },
        set(value) { Object.defineProperty(this, key, { value, writable: true, enumerable: false, configurable: true }); },
        enumerable: false, configurable: true,
      });
    },
  };
  const node = (name) => {
    const known = made.get(name);
    if (known) return known.exports;
    const module = { exports: {}, id: name };
    made.set(name, module);
    try {
      if (Object.hasOwn(standIns, name)) module.exports = standIns[name](module);
      else {
        const define = native.lazyPart(`node:${name}`);
        if (define === undefined) module.exports = internal.builtin(name);
        else define(module.exports, node, module, process, internalBinding, primordials);
      }
      ready[name]?.(module.exports);
    } catch (error) {
      made.delete(name);
      throw error;
    }
    return module.exports;
  };
  internal.node = node;
  for (const [name, key] of [['_stream_readable', 'Readable'], ['_stream_writable', 'Writable'], ['_stream_duplex', 'Duplex'], ['_stream_transform', 'Transform'], ['_stream_passthrough', 'PassThrough']]) internal.builtins[name] = () => node('stream')[key];
  internal.builtins.sys = () => node('util');
  internal.builtins['fs/promises'] = () => node('fs').promises;
  internal.namedSymbols = named;
  // Node's own listeners, which `stopImmediatePropagation` does not stop.
  internal.resistStop = named.kResistStopPropagation;
  internal.types = types;
  internal.later = later;

  const hadAtomics = 'Atomics' in globalThis;
  if (!hadAtomics) globalThis.Atomics = {};
  native.lazyPart('node:internal/per_context/primordials')({}, node, {}, process, internalBinding, primordials);
  if (!hadAtomics) delete globalThis.Atomics;
  for (const name of ['path', 'querystring', 'util', 'assert', 'string_decoder', 'stream', 'stream/promises', 'events', 'buffer', 'zlib', 'fs', 'url']) internal.builtins[name] = () => node(name);
}
