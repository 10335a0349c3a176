//! Built-in modules that are not here: what does a package get that imports one and may never use it?
//! Names to link and classes to derive from. Their functions throw when they are called.
(native, internal) => {
  const { codedError, EventEmitter } = internal;
  const refusal = (module, name) => codedError(Error, 'ERR_FEATURE_UNAVAILABLE_ON_PLATFORM', `${module}.${name} is not in the sandbox`);
  const functions = (module, names) => Object.fromEntries(names.split(' ').map((name) => [name, { [name]() { throw refusal(module, name); } }[name]]));
  // Old classes, as in Node: packages call them on objects of their own, and derive from them.
  const classes = (module, names) => Object.fromEntries(names.split(' ').map((name) => {
    const made = { [name]: function () { throw refusal(module, name); } }[name];
    Object.setPrototypeOf(made, EventEmitter);
    Object.setPrototypeOf(made.prototype, EventEmitter.prototype);
    return [name, made];
  }));
  const METHODS = 'ACL BIND CHECKOUT CONNECT COPY DELETE GET HEAD LINK LOCK M-SEARCH MERGE MKACTIVITY MKCALENDAR MKCOL MOVE NOTIFY OPTIONS PATCH POST PROPFIND PROPPATCH PURGE PUT QUERY REBIND REPORT SEARCH SOURCE SUBSCRIBE TRACE UNBIND UNLINK UNLOCK UNSUBSCRIBE'.split(' ');
  const STATUS_CODES = {
    100: 'Continue', 101: 'Switching Protocols', 102: 'Processing', 103: 'Early Hints', 200: 'OK', 201: 'Created', 202: 'Accepted', 203: 'Non-Authoritative Information',
    204: 'No Content', 205: 'Reset Content', 206: 'Partial Content', 207: 'Multi-Status', 208: 'Already Reported', 226: 'IM Used', 300: 'Multiple Choices', 301: 'Moved Permanently',
    302: 'Found', 303: 'See Other', 304: 'Not Modified', 305: 'Use Proxy', 307: 'Temporary Redirect', 308: 'Permanent Redirect', 400: 'Bad Request', 401: 'Unauthorized',
    402: 'Payment Required', 403: 'Forbidden', 404: 'Not Found', 405: 'Method Not Allowed', 406: 'Not Acceptable', 407: 'Proxy Authentication Required', 408: 'Request Timeout',
    409: 'Conflict', 410: 'Gone', 411: 'Length Required', 412: 'Precondition Failed', 413: 'Payload Too Large', 414: 'URI Too Long', 415: 'Unsupported Media Type',
    416: 'Range Not Satisfiable', 417: 'Expectation Failed', 418: "I'm a Teapot", 421: 'Misdirected Request', 422: 'Unprocessable Entity', 423: 'Locked', 424: 'Failed Dependency',
    425: 'Too Early', 426: 'Upgrade Required', 428: 'Precondition Required', 429: 'Too Many Requests', 431: 'Request Header Fields Too Large', 451: 'Unavailable For Legal Reasons',
    500: 'Internal Server Error', 501: 'Not Implemented', 502: 'Bad Gateway', 503: 'Service Unavailable', 504: 'Gateway Timeout', 505: 'HTTP Version Not Supported',
    506: 'Variant Also Negotiates', 507: 'Insufficient Storage', 508: 'Loop Detected', 509: 'Bandwidth Limit Exceeded', 510: 'Not Extended', 511: 'Network Authentication Required',
  };
    const resolver = 'lookup lookupService resolve resolve4 resolve6 resolveAny resolveCname resolveMx resolveNs resolvePtr resolveSrv resolveTxt reverse setServers getServers setDefaultResultOrder';
  const address = /^(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)(?:\.(?!$)|$)){4}$/;
  const isIPv4 = (text) => address.test(`${text}`);
  const isIPv6 = (text) => /^[\da-f:.]*:[\da-f:.]*$/i.test(`${text}`) && URL.canParse(`http://[${text}]`);
  const modules = {
    child_process: () => ({ ...functions('child_process', 'exec execFile execFileSync execSync fork spawn spawnSync'), ...classes('child_process', 'ChildProcess') }),
    cluster: () => ({ isMaster: true, isPrimary: true, isWorker: false, workers: {}, settings: {}, ...functions('cluster', 'fork setupPrimary disconnect') }),
    dgram: () => ({ ...functions('dgram', 'createSocket'), ...classes('dgram', 'Socket') }),
    dns: () => ({ ...functions('dns', resolver), ...classes('dns', 'Resolver'), promises: functions('dns.promises', resolver), ADDRCONFIG: 32, V4MAPPED: 8, ALL: 16 }),
    'dns/promises': () => ({ ...functions('dns.promises', resolver), ...classes('dns.promises', 'Resolver') }),
    domain: () => functions('domain', 'create createDomain'),
    http2: () => ({ constants: {}, ...functions('http2', 'connect createServer createSecureServer getDefaultSettings getPackedSettings getUnpackedSettings'), ...classes('http2', 'Http2ServerRequest Http2ServerResponse'), sensitiveHeaders: Symbol('sensitiveHeaders') }),
    inspector: () => ({ url: () => undefined, ...functions('inspector', 'open close waitForDebugger'), ...classes('inspector', 'Session'), console }),
    net: () => ({ ...functions('net', 'connect createConnection createServer'), ...classes('net', 'Server Socket Stream BlockList SocketAddress'), isIP: (text) => (isIPv4(text) ? 4 : isIPv6(text) ? 6 : 0), isIPv4, isIPv6 }),
    repl: () => functions('repl', 'start'),
    tls: () => ({ ...functions('tls', 'connect createServer createSecureContext checkServerIdentity getCiphers'), ...classes('tls', 'Server TLSSocket'), rootCertificates: [], DEFAULT_MIN_VERSION: 'TLSv1.2', DEFAULT_MAX_VERSION: 'TLSv1.3' }),
    trace_events: () => functions('trace_events', 'createTracing getEnabledCategories'),
    v8: () => ({ ...functions('v8', 'serialize deserialize getHeapStatistics getHeapSpaceStatistics writeHeapSnapshot getHeapSnapshot'), setFlagsFromString() {}, startupSnapshot: { isBuildingSnapshot: () => false } }),
    vm: () => ({ ...functions('vm', 'compileFunction createContext runInContext runInNewContext'), ...classes('vm', 'Script SourceTextModule SyntheticModule'), isContext: () => false, runInThisContext: (text) => (0, eval)(`${text}`) }),
    wasi: () => classes('wasi', 'WASI'),
    worker_threads: () => ({ isMainThread: true, parentPort: null, workerData: null, threadId: 0, resourceLimits: {}, SHARE_ENV: Symbol('SHARE_ENV'), ...classes('worker_threads', 'BroadcastChannel MessageChannel MessagePort Worker'), ...functions('worker_threads', 'receiveMessageOnPort moveMessagePortToContext'), markAsUntransferable() {}, getEnvironmentData: () => undefined, setEnvironmentData() {} }),
    sqlite: () => classes('sqlite', 'DatabaseSync StatementSync'),
    test: () => functions('test', 'after afterEach before beforeEach describe it suite test'),
  };

  const diagnostics = () => {
    const channels = new Map();
    class Channel {
      #subscribers = [];
      constructor(name) { this.name = name; }
      get hasSubscribers() { return this.#subscribers.length > 0; }
      subscribe(fn) { this.#subscribers = [...this.#subscribers, fn]; }
      unsubscribe(fn) {
        const at = this.#subscribers.indexOf(fn);
        if (at >= 0) this.#subscribers = this.#subscribers.toSpliced(at, 1);
        return at >= 0;
      }
      publish(message) {
        for (const fn of this.#subscribers) try { fn(message, this.name); } catch (error) { process.nextTick(() => { throw error; }); }
      }
      bindStore() {}
      unbindStore() { return false; }
      runStores(message, fn, self, ...args) { this.publish(message); return Reflect.apply(fn, self, args); }
    }
    const channel = (name) => {
      if (!channels.has(name)) channels.set(name, new Channel(name));
      return channels.get(name);
    };
    const events = ['start', 'end', 'asyncStart', 'asyncEnd', 'error'];
    class TracingChannel {
      constructor(name) { for (const event of events) this[event] = typeof name === 'string' ? channel(`tracing:${name}:${event}`) : name[event]; }
      get hasSubscribers() { return events.some((event) => this[event]?.hasSubscribers); }
      subscribe(handlers) { for (const event of events) if (handlers[event]) this[event].subscribe(handlers[event]); }
      unsubscribe(handlers) { return events.every((event) => !handlers[event] || this[event].unsubscribe(handlers[event])); }
      traceSync(fn, message = {}, self, ...args) {
        this.start.publish(message);
        try {
          message.result = Reflect.apply(fn, self, args);
          return message.result;
        } catch (error) { message.error = error; this.error.publish(message); throw error; } finally { this.end.publish(message); }
      }
      tracePromise(fn, message = {}, self, ...args) {
        const settle = (key, value) => { message[key] = value; if (key === 'error') this.error.publish(message); this.asyncStart.publish(message); this.asyncEnd.publish(message); };
        this.start.publish(message);
        try {
          return Promise.resolve(Reflect.apply(fn, self, args)).then((value) => { settle('result', value); return value; }, (error) => { settle('error', error); throw error; });
        } catch (error) { message.error = error; this.error.publish(message); throw error; } finally { this.end.publish(message); }
      }
      traceCallback(fn, position = -1, message = {}, self, ...args) {
        const callback = args.at(position);
        args.splice(position, 1, (error, result) => {
          Object.assign(message, error ? { error } : { result });
          if (error) this.error.publish(message);
          this.asyncStart.publish(message);
          try { callback?.(error, result); } finally { this.asyncEnd.publish(message); }
        });
        this.start.publish(message);
        try { return Reflect.apply(fn, self, args); } finally { this.end.publish(message); }
      }
    }
    return {
      channel, Channel, TracingChannel, tracingChannel: (name) => new TracingChannel(name), hasSubscribers: (name) => channels.get(name)?.hasSubscribers ?? false,
      subscribe: (name, fn) => channel(name).subscribe(fn), unsubscribe: (name, fn) => channel(name).unsubscribe(fn),
    };
  };
  const http = () => ({ METHODS, STATUS_CODES, ...classes('http', 'OutgoingMessage ServerResponse') });
  return { modules, diagnostics, http };
}
