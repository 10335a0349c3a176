//! `fetch`: how does a program speak HTTP?
//!
//! The host makes the exchange and judges it; here are the classes around it. Bodies are whole: no part of one arrives before the rest.
(native, internal) => {
  const { define, codedError, bytesOf } = internal;
  const normalName = (name) => {
    name = `${name}`;
    if (!/^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/.test(name)) throw new TypeError(`Headers: ${name} is an invalid header name.`);
    return name.toLowerCase();
  };
  const normalValue = (value) => {
    value = `${value}`.replace(/^[\t\n\r ]+|[\t\n\r ]+$/g, '');
    if (/[\0\r\n]|[^\x00-\xff]/.test(value)) throw new TypeError(`Headers: ${JSON.stringify(value)} is an invalid header value.`);
    return value;
  };

  class Headers {
    #pairs = [];
    constructor(init) {
      if (init === undefined || init === null) return;
      if (typeof init !== 'object') throw new TypeError("Headers: cannot be made from this value");
      const pairs = init[Symbol.iterator] ? [...init] : Object.entries(init);
      for (const pair of pairs) {
        const two = [...pair];
        if (two.length !== 2) throw new TypeError('Headers: each pair must have a name and a value');
        this.append(two[0], two[1]);
      }
    }
    append(name, value) { this.#pairs.push([normalName(name), normalValue(value)]); }
    delete(name) { name = normalName(name); this.#pairs = this.#pairs.filter(([key]) => key !== name); }
    get(name) {
      name = normalName(name);
      const values = this.#pairs.filter(([key]) => key === name).map(([, value]) => value);
      return values.length > 0 ? values.join(', ') : null;
    }
    has(name) { name = normalName(name); return this.#pairs.some(([key]) => key === name); }
    set(name, value) {
      [name, value] = [normalName(name), normalValue(value)];
      const at = this.#pairs.findIndex(([key]) => key === name);
      if (at < 0) this.#pairs.push([name, value]);
      else this.#pairs = this.#pairs.with(at, [name, value]).filter(([key], i) => i <= at || key !== name);
    }
    getSetCookie() { return this.#pairs.filter(([key]) => key === 'set-cookie').map(([, value]) => value); }
    *entries() {
      const names = [...new Set(this.#pairs.map(([key]) => key))].sort();
      for (const name of names) {
        if (name === 'set-cookie') for (const value of this.getSetCookie()) yield [name, value];
        else yield [name, this.get(name)];
      }
    }
    *keys() { for (const [key] of this.entries()) yield key; }
    *values() { for (const [, value] of this.entries()) yield value; }
    forEach(callback, self) { for (const [key, value] of this.entries()) callback.call(self, value, key, this); }
    [internal.inspect.custom](depth, options, inspect) { return `Headers ${inspect(Object.fromEntries(this.entries()), options)}`; }
  }
  Headers.prototype[Symbol.iterator] = Headers.prototype.entries;

  class Blob {
    #bytes; #type;
    constructor(parts = [], options = {}) {
      const chunks = [...parts].map((part) => (part instanceof Blob ? part.#bytes : typeof part === 'string' ? native.encodeUtf8(part) : ArrayBuffer.isView(part) || part instanceof ArrayBuffer ? bytesOf(part) : native.encodeUtf8(`${part}`)));
      this.#bytes = new Uint8Array(chunks.reduce((size, chunk) => size + chunk.length, 0));
      let at = 0;
      for (const chunk of chunks) { this.#bytes.set(chunk, at); at += chunk.length; }
      this.#type = `${options?.type ?? ''}`.toLowerCase();
    }
    static _bytes(blob) { return blob.#bytes; }
    get size() { return this.#bytes.length; }
    get type() { return this.#type; }
    async text() { return native.decodeUtf8(this.#bytes, false); }
    async arrayBuffer() { return this.#bytes.slice().buffer; }
    async bytes() { return this.#bytes.slice(); }
    slice(start, end, type = '') { return new Blob([this.#bytes.slice(start, end)], { type }); }
    [internal.inspect.custom]() { return `Blob { size: ${this.size}, type: '${this.#type}' }`; }
  }
  const blobBytes = Blob._bytes;
  delete Blob._bytes;

  class FormData {
    #pairs = [];
    append(name, value, file) { this.#pairs.push([`${name}`, value instanceof Blob ? value : `${value}`, file]); }
    set(name, value, file) { this.delete(name); this.append(name, value, file); }
    delete(name) { this.#pairs = this.#pairs.filter(([key]) => key !== `${name}`); }
    get(name) { return this.#pairs.find(([key]) => key === `${name}`)?.[1] ?? null; }
    getAll(name) { return this.#pairs.filter(([key]) => key === `${name}`).map(([, value]) => value); }
    has(name) { return this.#pairs.some(([key]) => key === `${name}`); }
    *entries() { for (const [key, value] of this.#pairs) yield [key, value]; }
    *keys() { for (const [key] of this.#pairs) yield key; }
    *values() { for (const [, value] of this.#pairs) yield value; }
    forEach(callback, self) { for (const [key, value] of this.entries()) callback.call(self, value, key, this); }
    static _parts(form, boundary) {
      const escape = (text) => text.replace(/[\r\n"]/g, encodeURIComponent);
      const parts = [];
      for (const [name, value, file] of form.#pairs) {
        const isFile = value instanceof Blob;
        const fileName = isFile ? `; filename="${escape(`${file ?? 'blob'}`)}"\r\nContent-Type: ${value.type || 'application/octet-stream'}` : '';
        parts.push(`--${boundary}\r\nContent-Disposition: form-data; name="${escape(name)}"${fileName}\r\n\r\n`, value, '\r\n');
      }
      return [...parts, `--${boundary}--\r\n`];
    }
  }
  FormData.prototype[Symbol.iterator] = FormData.prototype.entries;
  const formParts = FormData._parts;
  delete FormData._parts;

  // The bytes of a body and the type that they have if the headers do not say.
  const extract = (body) => {
    if (body === undefined || body === null) return [null, null];
    if (body instanceof Blob) return [blobBytes(body), body.type || null];
    if (body instanceof URLSearchParams) return [native.encodeUtf8(`${body}`), 'application/x-www-form-urlencoded;charset=UTF-8'];
    if (body instanceof FormData) {
      const boundary = `----formdata-${Array.from(native.randomBytes(12), (byte) => byte.toString(16).padStart(2, '0')).join('')}`;
      return [blobBytes(new Blob(formParts(body, boundary))), `multipart/form-data; boundary=${boundary}`];
    }
    if (ArrayBuffer.isView(body) || native.classOf(body) === 'ArrayBuffer') return [bytesOf(body).slice(), null];
    return [native.encodeUtf8(`${body}`), 'text/plain;charset=UTF-8'];
  };

  class Body {
    #bytes = null; #used = false;
    static _fill(body, bytes) { body.#bytes = bytes; }
    static _peek(body) { return body.#bytes; }
    static _use(body) {
      if (body.#used) throw new TypeError('Body is unusable: Body has already been read');
      if (body.#bytes !== null) body.#used = true;
      return body.#bytes ?? new Uint8Array(0);
    }
    get bodyUsed() { return this.#used; }
    get body() {
      if (this.#bytes === null) return null;
      const owner = this;
      return {
        locked: false,
        getReader() {
          let isDone = false;
          return {
            async read() {
              if (isDone) return { value: undefined, done: true };
              isDone = true;
              return { value: use(owner), done: false };
            },
            releaseLock() {}, async cancel() { isDone = true; },
          };
        },
        async *[Symbol.asyncIterator]() { yield use(owner); },
        async cancel() {},
      };
    }
    async arrayBuffer() { return use(this).slice().buffer; }
    async bytes() { return use(this).slice(); }
    async text() { return new TextDecoder().decode(use(this)); }
    async json() { return JSON.parse(await this.text()); }
    async blob() { return new Blob([use(this)], { type: this.headers.get('content-type') ?? '' }); }
    async formData() {
      const form = new FormData();
      for (const [key, value] of new URLSearchParams(await this.text())) form.append(key, value);
      return form;
    }
  }
  const { _fill: fill, _peek: peek, _use: use } = Body;
  for (const name of ['_fill', '_peek', '_use']) delete Body[name];

  const methods = /^(delete|get|head|options|patch|post|put)$/i;
  class Request extends Body {
    #method; #url; #headers; #redirect; #signal;
    constructor(input, init = {}) {
      super();
      const from = input instanceof Request ? input : null;
      try { this.#url = from ? from.url : new URL(`${input}`).href; } catch {
        throw new TypeError(`Failed to parse URL from ${input}`);
      }
      this.#method = `${init.method ?? from?.method ?? 'GET'}`;
      if (methods.test(this.#method)) this.#method = this.#method.toUpperCase();
      this.#headers = new Headers(init.headers ?? from?.headers);
      this.#redirect = init.redirect ?? from?.redirect ?? 'follow';
      this.#signal = init.signal ?? from?.signal ?? new AbortController().signal;
      const [bytes, type] = init.body !== undefined ? extract(init.body) : [from ? peek(from) : null, null];
      if (bytes !== null && (this.#method === 'GET' || this.#method === 'HEAD')) throw new TypeError('Request with GET/HEAD method cannot have body.');
      fill(this, bytes);
      if (type !== null && !this.#headers.has('content-type')) this.#headers.set('content-type', type);
    }
    get method() { return this.#method; }
    get url() { return this.#url; }
    get headers() { return this.#headers; }
    get redirect() { return this.#redirect; }
    get signal() { return this.#signal; }
    clone() { return new Request(this); }
  }

  class Response extends Body {
    #status; #statusText; #headers; #url = ''; #redirected = false; #type = 'default';
    constructor(body = null, init = {}) {
      super();
      this.#status = init?.status ?? 200;
      if (!(this.#status >= 200 && this.#status <= 599)) throw new RangeError('init["status"] must be in the range of 200 to 599, inclusive.');
      this.#statusText = `${init?.statusText ?? ''}`;
      this.#headers = new Headers(init?.headers);
      const [bytes, type] = extract(body);
      fill(this, bytes);
      if (type !== null && !this.#headers.has('content-type')) this.#headers.set('content-type', type);
    }
    static _answer({ url, status, status_text, headers, body_base64, redirected }) {
      const response = new Response(null, { status: 200, headers });
      response.#status = status;
      response.#statusText = status_text ?? '';
      response.#url = url;
      response.#redirected = Boolean(redirected);
      response.#type = 'basic';
      fill(response, body_base64 === undefined || body_base64 === null ? new Uint8Array(0) : Uint8Array.fromBase64(body_base64));
      return response;
    }
    static error() { const response = new Response(); response.#type = 'error'; response.#status = 0; return response; }
    static json(value, init = {}) {
      const headers = new Headers(init.headers);
      if (!headers.has('content-type')) headers.set('content-type', 'application/json');
      return new Response(JSON.stringify(value), { ...init, headers });
    }
    static redirect(url, status = 302) { return new Response(null, { status, headers: { location: new URL(`${url}`).href } }); }
    get status() { return this.#status; }
    get ok() { return this.#status >= 200 && this.#status <= 299; }
    get statusText() { return this.#statusText; }
    get headers() { return this.#headers; }
    get url() { return this.#url; }
    get redirected() { return this.#redirected; }
    get type() { return this.#type; }
    clone() {
      if (this.bodyUsed) throw new TypeError('Response.clone: Body has already been consumed.');
      const copy = new Response(null, { status: 200, statusText: this.#statusText, headers: this.#headers });
      copy.#status = this.#status;
      copy.#url = this.#url;
      copy.#redirected = this.#redirected;
      copy.#type = this.#type;
      fill(copy, peek(this));
      return copy;
    }
    [internal.inspect.custom](depth, options, inspect) {
      const { status, statusText, headers, bodyUsed, ok, redirected, type, url } = this;
      return `Response ${inspect({ status, statusText, headers, bodyUsed, ok, redirected, type, url }, options)}`;
    }
  }
  const answer = Response._answer;
  delete Response._answer;

  const failed = (kind, message) => {
    const cause = new Error(message);
    cause.name = 'FetchError';
    cause.code = kind;
    cause.kind = kind;
    return new TypeError(`fetch failed: ${message}`, { cause });
  };

  define('fetch', async function fetch(input, init = {}) {
    const request = new Request(input, init);
    const { signal } = request;
    signal.throwIfAborted();
    const bytes = peek(request);
    const values = {
      url: request.url, method: request.method, headers: [...request.headers], redirect: request.redirect,
      ...(bytes !== null && { body_base64: bytes.toBase64() }),
      ...(typeof init.timeout_ms === 'number' && { timeout_ms: init.timeout_ms }),
    };
    return answer(await internal.call('fetch', JSON.stringify(values), failed, signal));
  });
  for (const Class of [Headers, Blob, FormData, Request, Response]) {
    Object.defineProperty(Class.prototype, Symbol.toStringTag, { value: Class.name, configurable: true });
    define(Class.name, Class);
  }
}
