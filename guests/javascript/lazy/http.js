//! `node:http` and `node:https`: how does a program that knows no `fetch` make a request?
//!
//! A client alone: the host makes the exchange and judges it, as for `fetch`, so there is no socket, and bodies are whole. A request is a
//! `Writable` and a response a `Readable` of Node's own streams.
(native, internal) => {
  const { codedError, EventEmitter } = internal;
  const { Readable, Writable } = internal.node('stream');
  const { METHODS, STATUS_CODES, OutgoingMessage, ServerResponse } = internal.lazy('absent').http();

  // The program's words for why there was no answer: the codes are those that a socket would have given.
  const codes = [[/cannot be found|no address/, 'ENOTFOUND'], [/refused/, 'ECONNREFUSED'], [/unreachable/, 'EHOSTUNREACH'], [/time|deadline/, 'ETIMEDOUT'], [/no secure connection/, 'EPROTO']];
  const failure = (request) => (kind, message) => {
    const code = kind === 'denied' ? 'EACCES' : codes.find(([pattern]) => pattern.test(message))?.[1] ?? 'ECONNRESET';
    const { hostname, port } = request._target;
    const error = codedError(Error, code, code === 'ENOTFOUND' ? `getaddrinfo ENOTFOUND ${hostname}` : code === 'ECONNREFUSED' ? `connect ECONNREFUSED ${hostname}:${port}` : `${code}: ${message}`);
    return Object.assign(error, { syscall: code === 'ENOTFOUND' ? 'getaddrinfo' : 'connect', hostname, port: Number(port) });
  };
  const hangUp = () => codedError(Error, 'ECONNRESET', 'socket hang up');

  // What packages ask the socket of a request for. It carries nothing.
  class Socket extends EventEmitter {
    constructor(isSecure) {
      super();
      Object.assign(this, { encrypted: isSecure, authorized: isSecure, connecting: false, destroyed: false, readable: true, writable: true, remoteAddress: undefined, bytesWritten: 0, bytesRead: 0 });
    }
    setTimeout(ms, callback) { if (callback) this.once('timeout', callback); return this; }
    setKeepAlive() { return this; }
    setNoDelay() { return this; }
    ref() { return this; }
    unref() { return this; }
    address() { return {}; }
    end() { return this; }
    destroy() { this.destroyed = true; return this; }
  }

  class Agent extends EventEmitter {
    constructor(options = {}) {
      super();
      const { keepAlive = false, maxSockets = Infinity, maxFreeSockets = 256, maxTotalSockets = Infinity, scheduling = 'lifo' } = options;
      Object.assign(this, { options: { path: null, ...options }, requests: {}, sockets: {}, freeSockets: {}, keepAliveMsecs: 1000, keepAlive, maxSockets, maxFreeSockets, maxTotalSockets, scheduling, defaultPort: 80, protocol: 'http:' });
    }
    getName({ host = 'localhost', port = '', localAddress = '' } = {}) { return `${host}:${port}:${localAddress}`; }
    destroy() {}
  }
  class SecureAgent extends Agent {
    constructor(options) { super(options); Object.assign(this, { defaultPort: 443, protocol: 'https:' }); }
  }
  const agents = { 'http:': new Agent({ keepAlive: true, scheduling: 'lifo', timeout: 5000 }), 'https:': new SecureAgent({ keepAlive: true, scheduling: 'lifo', timeout: 5000 }) };

  const singles = new Set('age authorization content-length content-type etag expires from host if-modified-since if-unmodified-since last-modified location max-forwards proxy-authorization referer retry-after server user-agent'.split(' '));
  const gather = (pairs) => {
    const headers = {}, distinct = {};
    for (const [name, value] of pairs) {
      const key = name.toLowerCase();
      if (Object.hasOwn(distinct, key)) distinct[key].push(value);
      else Object.defineProperty(distinct, key, { value: [value], writable: true, enumerable: true, configurable: true });
      const before = Object.hasOwn(headers, key) ? headers[key] : undefined;
      if (before !== undefined && singles.has(key)) continue;
      const whole = key === 'set-cookie' ? distinct[key] : before === undefined ? value : `${before}${key === 'cookie' ? '; ' : ', '}${value}`;
      Object.defineProperty(headers, key, { value: whole, writable: true, enumerable: true, configurable: true });
    }
    return { headers, distinct };
  };
  class IncomingMessage extends Readable {
    constructor(socket) {
      super();
      Object.assign(this, { socket, connection: socket, httpVersion: '1.1', httpVersionMajor: 1, httpVersionMinor: 1, headers: {}, headersDistinct: {}, rawHeaders: [], trailers: {}, trailersDistinct: {}, rawTrailers: [], statusCode: null, statusMessage: null, method: null, url: '', complete: false, aborted: false, upgrade: false });
    }
    _fill({ status, status_text, headers, body_base64 }) {
      const { headers: gathered, distinct } = gather(headers);
      Object.assign(this, { statusCode: status, statusMessage: status_text ?? STATUS_CODES[status] ?? '', headers: gathered, headersDistinct: distinct, rawHeaders: headers.flat() });
      this._rest = body_base64 ? Buffer.from(body_base64, 'base64') : null;
      return this;
    }
    _read(size) {
      if (this._rest && this._rest.length > 0) {
        const part = this._rest.subarray(0, Math.max(size, 65536));
        this._rest = this._rest.subarray(part.length);
        this.push(part);
      } else {
        this.complete = true;
        this.push(null);
      }
    }
    setTimeout(ms, callback) { if (callback) this.once('timeout', callback); return this; }
  }

  const token = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
  const validateHeaderName = (name, label = 'Header name') => {
    if (typeof name !== 'string' || !token.test(name)) throw codedError(TypeError, 'ERR_INVALID_HTTP_TOKEN', `${label} must be a valid HTTP token ["${name}"]`);
  };
  const validateHeaderValue = (name, value) => {
    if (value === undefined) throw codedError(TypeError, 'ERR_HTTP_INVALID_HEADER_VALUE', `Invalid value "${value}" for header "${name}"`);
    if (/[^\t\x20-\x7e\x80-\xff]/.test(`${value}`)) throw codedError(TypeError, 'ERR_INVALID_CHAR', `Invalid character in header content ["${name}"]`);
  };
  // The host sets these itself.
  const owned = new Set('host connection content-length transfer-encoding keep-alive proxy-connection te trailer upgrade expect'.split(' '));

  // What `request` was called with, as one object.
  const optionsOf = (input, options, callback, own) => {
    let from = {};
    if (typeof input === 'string') input = new URL(input);
    if (input instanceof URL) {
      const { protocol, hostname, port, pathname, search, hash, href, username, password } = input;
      from = { protocol, hostname: hostname.replace(/^\[|\]$/g, ''), path: pathname + search, hash, search, pathname, href, ...(port !== '' && { port: Number(port) }), ...((username || password) && { auth: `${decodeURIComponent(username)}:${decodeURIComponent(password)}` }) };
    } else [options, callback] = [input, options];
    if (typeof options === 'function') [options, callback] = [{}, options];
    return [{ protocol: own, ...from, ...options }, callback];
  };

  class ClientRequest extends Writable {
    #headers = new Map(); #parts = []; #abort = new AbortController(); #timer; #isAnswered = false;
    constructor(input, given, callback) {
      const [options, then] = optionsOf(input, given, callback, given?.protocol ?? 'http:');
      super({ autoDestroy: false, decodeStrings: true });
      const protocol = `${options.protocol ?? options.agent?.protocol ?? 'http:'}`, isSecure = protocol === 'https:';
      const host = options.hostname ?? options.host ?? 'localhost', port = options.port || options.defaultPort || (isSecure ? 443 : 80);
      const method = `${options.method ?? 'GET'}`.toUpperCase(), path = options.path || '/';
      if (!token.test(method)) throw codedError(TypeError, 'ERR_INVALID_HTTP_TOKEN', `Method must be a valid HTTP token ["${method}"]`);
      if (/[^\x21-\xff]/.test(path)) throw codedError(TypeError, 'ERR_UNESCAPED_CHARACTERS', 'Request path contains unescaped characters');
      if (options.socketPath !== undefined) throw codedError(Error, 'ERR_FEATURE_UNAVAILABLE_ON_PLATFORM', 'socketPath is not in the sandbox; requests go to hosts that the policy grants');
      Object.assign(this, { method, path, host, protocol, agent: options.agent ?? agents[protocol], aborted: false, reusedSocket: false, maxHeadersCount: null, timeout: options.timeout, finished: false, res: null, shouldKeepAlive: true });
      Object.defineProperty(this, '_target', { value: { hostname: host, port: `${port}` } });
      this.socket = this.connection = new Socket(isSecure);
      const headers = Array.isArray(options.headers) ? pairsOf(options.headers) : Object.entries(options.headers ?? {});
      for (const [name, value] of headers) if (value !== undefined) this.setHeader(name, value);
      if (!this.hasHeader('host') && options.setHost !== false) this.setHeader('Host', `${host}${port == (isSecure ? 443 : 80) ? '' : `:${port}`}`);
      if (options.auth && !this.hasHeader('authorization')) this.setHeader('Authorization', `Basic ${Buffer.from(options.auth).toString('base64')}`);
      if (then) this.once('response', then);
      if (options.timeout) this.setTimeout(options.timeout);
      const { signal } = options;
      if (signal) {
        const stop = () => this.destroy(Object.assign(new Error('The operation was aborted', { cause: signal.reason }), { name: 'AbortError', code: 'ABORT_ERR' }));
        if (signal.aborted) process.nextTick(stop);
        else { signal.addEventListener('abort', stop, { once: true }); this.once('close', () => signal.removeEventListener('abort', stop)); }
      }
      process.nextTick(() => { if (!this.destroyed) this.emit('socket', this.socket); });
    }
    get headersSent() { return this.writableEnded; }
    setHeader(name, value) {
      if (this.writableEnded) throw codedError(Error, 'ERR_HTTP_HEADERS_SENT', 'Cannot set headers after they are sent to the client');
      validateHeaderName(name);
      for (const one of Array.isArray(value) ? value : [value]) validateHeaderValue(name, one);
      this.#headers.set(name.toLowerCase(), [name, value]);
      return this;
    }
    appendHeader(name, value) {
      const before = this.getHeader(name);
      return this.setHeader(name, before === undefined ? value : [before, value].flat());
    }
    setHeaders(headers) { for (const [name, value] of headers) this.setHeader(name, value); return this; }
    getHeader(name) { return this.#headers.get(`${name}`.toLowerCase())?.[1]; }
    hasHeader(name) { return this.#headers.has(`${name}`.toLowerCase()); }
    removeHeader(name) { this.#headers.delete(`${name}`.toLowerCase()); }
    getHeaderNames() { return [...this.#headers.keys()]; }
    getRawHeaderNames() { return [...this.#headers.values()].map(([name]) => name); }
    getHeaders() { return Object.assign(Object.create(null), Object.fromEntries([...this.#headers].map(([key, [, value]]) => [key, value]))); }
    flushHeaders() {}
    setNoDelay() {}
    setSocketKeepAlive() {}
    setTimeout(ms, callback) {
      if (callback) this.once('timeout', callback);
      clearTimeout(this.#timer);
      this.timeout = ms;
      if (ms > 0) this.#timer = setTimeout(() => { this.socket.emit('timeout'); this.emit('timeout'); }, ms);
      return this;
    }
    abort() {
      if (this.aborted) return;
      this.aborted = true;
      process.nextTick(() => this.emit('abort'));
      this.destroy();
    }
    _write(chunk, encoding, done) { this.#parts.push(chunk); done(); }
    _final(done) {
      this.finished = true;
      done();
      this.#send();
    }
    _destroy(error, done) {
      clearTimeout(this.#timer);
      this.socket.destroy();
      this.#abort.abort();
      if (this.res && !this.res.complete) { this.res.aborted = true; this.res.destroy(error ?? codedError(Error, 'ECONNRESET', 'aborted')); }
      done(error ?? (this.#isAnswered ? null : hangUp()));
    }
    #send() {
      const { hostname, port } = this._target, body = Buffer.concat(this.#parts);
      const shown = hostname.includes(':') ? `[${hostname}]` : hostname;
      const headers = [...this.#headers.values()].filter(([name]) => !owned.has(name.toLowerCase())).flatMap(([name, value]) => (Array.isArray(value) ? value : [value]).map((one) => [name, `${one}`]));
      const values = { url: `${this.protocol}//${shown}:${port}${this.path}`, method: this.method, headers, redirect: 'manual', ...(body.length > 0 && { body_base64: body.toString('base64') }) };
      internal.call('fetch', JSON.stringify(values), failure(this), this.#abort.signal).then((answer) => this.#receive(answer), (error) => { if (!this.destroyed) this.destroy(error); });
    }
    #receive(answer) {
      if (this.destroyed) return;
      clearTimeout(this.#timer);
      this.#isAnswered = true;
      this.res = new IncomingMessage(this.socket)._fill(answer);
      Object.assign(this.res, { req: this });
      this.res.once('close', () => { if (!this.destroyed) this.destroy(); });
      // A response that nothing listens to is read away, so that the request ends.
      if (!this.emit('response', this.res)) this.res.resume();
    }
  }
  const pairsOf = (list) => (Array.isArray(list[0]) ? list : list.flatMap((name, i) => (i % 2 === 0 ? [[name, list[i + 1]]] : [])));

  const server = (module) => {
    const refuse = (name) => codedError(Error, 'ERR_FEATURE_UNAVAILABLE_ON_PLATFORM', `${module}.${name} is not in the sandbox of WebAssembly, which has no sockets; in the tier \`container\` programs can listen`);
    return { createServer() { throw refuse('createServer'); }, Server: class Server extends EventEmitter { constructor() { super(); throw refuse('Server'); } } };
  };
  const client = (module, own) => {
    const request = (input, options, callback) => {
      const [all, then] = optionsOf(input, options, callback, undefined);
      const protocol = all.protocol ?? all.agent?.protocol ?? own;
      const expected = all.agent?.protocol ?? own;
      if (protocol !== expected) throw codedError(TypeError, 'ERR_INVALID_PROTOCOL', `Protocol "${protocol}" not supported. Expected "${expected}"`);
      return new ClientRequest({ ...all, protocol }, then);
    };
    const get = (input, options, callback) => {
      const made = request(input, options, callback);
      made.end();
      return made;
    };
    return { ...server(module), request, get, globalAgent: agents[own], Agent: own === 'https:' ? SecureAgent : Agent };
  };
  return {
    http: () => ({ METHODS, STATUS_CODES, maxHeaderSize: 16384, ...client('http', 'http:'), ClientRequest, IncomingMessage, OutgoingMessage, ServerResponse, validateHeaderName, validateHeaderValue, setMaxIdleHTTPParsers() {} }),
    https: () => client('https', 'https:'),
  };
}
