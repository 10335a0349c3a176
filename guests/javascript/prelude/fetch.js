//! `fetch`: how does a program speak HTTP?
//!
//! The host makes the exchange and judges it; here are the classes around it. Bodies are whole: no part of one arrives before the rest.
(native, internal) => {
  const { define, codedError, bytesOf, Blob, FormData, blobBytes } = internal;
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
    append(name, value) { this.#pairs.push([normalName(name), normalValue(value), `${name}`]); }
    delete(name) { name = normalName(name); this.#pairs = this.#pairs.filter(([key]) => key !== name); }
    get(name) {
      name = normalName(name);
      const values = this.#pairs.filter(([key]) => key === name).map(([, value]) => value);
      return values.length > 0 ? values.join(', ') : null;
    }
    has(name) { name = normalName(name); return this.#pairs.some(([key]) => key === name); }
    set(name, value) {
      const pair = [normalName(name), normalValue(value), `${name}`];
      const at = this.#pairs.findIndex(([key]) => key === pair[0]);
      if (at < 0) this.#pairs.push(pair);
      else this.#pairs = this.#pairs.with(at, pair).filter(([key], i) => i <= at || key !== pair[0]);
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
    [internal.inspect.custom](depth, options, inspect) {
      const shown = {};
      for (const [key, , name] of this.#pairs) if (!Object.hasOwn(shown, name)) shown[name] = this.get(key);
      return `Headers ${inspect(shown, options)}`;
    }
  }
  Headers.prototype[Symbol.iterator] = Headers.prototype.entries;

  // The bytes of a body, or its stream, and the type that it has if the headers do not say.
  const extract = (body) => {
    if (body === undefined || body === null) return [null, null];
    if (internal.isBlob(body)) return [blobBytes(body), body.type || null];
    if (body instanceof URLSearchParams) return [native.encodeUtf8(`${body}`), 'application/x-www-form-urlencoded;charset=UTF-8'];
    if (body instanceof FormData) {
      const boundary = `----formdata-${native.randomBytes(12).toHex()}`;
      return [internal.lazy('forms').encode(body, boundary), `multipart/form-data; boundary=${boundary}`];
    }
    if (internal.isBuffer(body)) return [bytesOf(body).slice(), null];
    if (typeof body === 'object' && typeof body.getReader === 'function') {
      if (body.locked || body._disturbed) throw new TypeError('Response body object should not be disturbed or locked');
      return [body, null];
    }
    if (typeof body === 'object' && typeof body[Symbol.asyncIterator] === 'function') return [internal.lazy('web_streams').classes.ReadableStream.from(body), null];
    return [native.encodeUtf8(`${body}`), 'text/plain;charset=UTF-8'];
  };

  const used = () => new TypeError('Body is unusable: Body has already been read');
  // A body is bytes until a program asks for its stream.
  class Body {
    #bytes = null; #stream = null; #used = false;
    static _fill(body, source) {
      if (source === null || source instanceof Uint8Array) body.#bytes = source;
      else body.#stream = source;
    }
    static _peek(body) { return body.#stream ?? body.#bytes; }
    static async _take(body) {
      if (body.bodyUsed || body.#stream?.locked) throw used();
      if (body.#stream !== null) return internal.lazy('web_streams').bytesOfStream(body.#stream);
      body.#used = body.#bytes !== null;
      return body.#bytes ?? new Uint8Array(0);
    }
    static _copy(from, to) {
      if (from.bodyUsed || from.#stream?.locked) throw new TypeError('Response.clone: Body has already been consumed.');
      if (from.#stream === null) to.#bytes = from.#bytes;
      else [from.#stream, to.#stream] = from.#stream.tee();
    }
    get bodyUsed() { return this.#used || Boolean(this.#stream?._disturbed); }
    get body() {
      if (this.#stream === null && this.#bytes !== null) {
        this.#stream = internal.lazy('web_streams').streamOf([this.#bytes]);
        if (this.#used) this.#stream.cancel();
      }
      return this.#stream;
    }
    async arrayBuffer() { return (await take(this)).slice().buffer; }
    async bytes() { return (await take(this)).slice(); }
    async text() { return new TextDecoder().decode(await take(this)); }
    async json() { return JSON.parse(await this.text()); }
    async blob() { return new Blob([await take(this)], { type: this.headers.get('content-type') ?? '' }); }
    async formData() {
      const type = this.headers.get('content-type') ?? '', boundary = /^multipart\/form-data\s*;.*?\bboundary=(?:"([^"]+)"|([^;\s]+))/i.exec(type);
      if (boundary) return internal.lazy('forms').decode(await take(this), boundary[1] ?? boundary[2]);
      if (!/^application\/x-www-form-urlencoded/i.test(type)) throw new TypeError('Content-Type was not one of "multipart/form-data" or "application/x-www-form-urlencoded".');
      const form = new FormData();
      for (const [key, value] of new URLSearchParams(await this.text())) form.append(key, value);
      return form;
    }
  }
  const { _fill: fill, _peek: peek, _take: take, _copy: copyBody } = Body;
  for (const name of ['_fill', '_peek', '_take', '_copy']) delete Body[name];

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
      const isGiven = init.body !== undefined && init.body !== null;
      if ((isGiven || (from && peek(from) !== null)) && (this.#method === 'GET' || this.#method === 'HEAD')) throw new TypeError('Request with GET/HEAD method cannot have body.');
      const [source, type] = isGiven ? extract(init.body) : [null, null];
      if (isGiven && !(source instanceof Uint8Array) && init.duplex !== 'half') throw new TypeError('RequestInit: duplex option is required when sending a body.');
      if (isGiven) fill(this, source);
      else if (from) copyBody(from, this);
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
      const [source, type] = extract(body);
      fill(this, source);
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
      const copy = new Response(null, { status: 200, statusText: this.#statusText, headers: this.#headers });
      copy.#status = this.#status;
      copy.#url = this.#url;
      copy.#redirected = this.#redirected;
      copy.#type = this.#type;
      copyBody(this, copy);
      return copy;
    }
    [internal.inspect.custom](depth, options, inspect) {
      const { status, statusText, headers, body, bodyUsed, ok, redirected, type, url } = this;
      return `Response ${inspect({ status, statusText, headers, body, bodyUsed, ok, redirected, type, url }, options)}`;
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
    const bytes = peek(request) === null ? null : await take(request);
    const values = {
      url: request.url, method: request.method, headers: [...request.headers], redirect: request.redirect,
      ...(bytes !== null && { body_base64: bytes.toBase64() }),
      ...(typeof init.timeout_ms === 'number' && { timeout_ms: init.timeout_ms }),
    };
    return answer(await internal.call('fetch', JSON.stringify(values), failed, signal));
  });
  for (const Class of [Headers, Request, Response]) {
    Object.defineProperty(Class.prototype, Symbol.toStringTag, { value: Class.name, configurable: true });
    define(Class.name, Class);
  }
}
