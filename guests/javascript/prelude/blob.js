//! `Blob`, `File` and `FormData`: how does a program hold bytes and the fields of a form?
(native, internal) => {
  const { define, codedError, bytesOf } = internal;
  const isBuffer = (value) => ArrayBuffer.isView(value) || native.classOf(value) === 'ArrayBuffer';
  const joined = (chunks) => {
    const all = new Uint8Array(chunks.reduce((size, chunk) => size + chunk.length, 0));
    let at = 0;
    for (const chunk of chunks) { all.set(chunk, at); at += chunk.length; }
    return all;
  };
  const cleanType = (type) => { type = `${type ?? ''}`; return /[^\x20-\x7e]/.test(type) ? '' : type.toLowerCase(); };

  class Blob {
    #chunks; #joined = null; #type;
    constructor(parts = [], options = {}) {
      if (parts === null || typeof parts !== 'object' || typeof parts[Symbol.iterator] !== 'function') {
        throw codedError(TypeError, 'ERR_INVALID_ARG_TYPE', `The "sources" argument must be a sequence. Received ${internal.received(parts)}`);
      }
      const isNative = options?.endings === 'native';
      const textOf = (part) => native.encodeUtf8(isNative ? `${part}`.replace(/\r\n?/g, '\n') : `${part}`);
      this.#chunks = Array.from(parts, (part) => (#chunks in Object(part) ? part.#chunks : isBuffer(part) ? bytesOf(part).slice() : textOf(part))).flat();
      this.#type = cleanType(options?.type);
    }
    static _isBlob(value) { return typeof value === 'object' && value !== null && #chunks in value; }
    static _bytes(blob) { return blob.#joined ??= blob.#chunks.length === 1 ? blob.#chunks[0] : joined(blob.#chunks); }
    get size() { return this.#chunks.reduce((size, chunk) => size + chunk.length, 0); }
    get type() { return this.#type; }
    async text() { return native.decodeUtf8(blobBytes(this), false); }
    async arrayBuffer() { return blobBytes(this).slice().buffer; }
    async bytes() { return blobBytes(this).slice(); }
    stream() { return internal.lazy('web_streams').streamOf(this.#chunks); }
    slice(start, end, type = '') { return new Blob([blobBytes(this).slice(start, end)], { type }); }
    [internal.inspect.custom](depth, options, inspect) { return `Blob ${inspect({ size: this.size, type: this.#type }, options)}`; }
  }
  const blobBytes = Blob._bytes, isBlob = Blob._isBlob;
  delete Blob._bytes;
  delete Blob._isBlob;

  class File extends Blob {
    #name; #lastModified;
    constructor(parts, name, options = {}) {
      if (arguments.length < 2) throw codedError(TypeError, 'ERR_MISSING_ARGS', 'The "fileBits" and "fileName" arguments must be specified');
      super(parts, options);
      this.#name = `${name}`.toWellFormed();
      this.#lastModified = options?.lastModified === undefined ? Date.now() : Math.trunc(Number(options.lastModified)) || 0;
    }
    get name() { return this.#name; }
    get lastModified() { return this.#lastModified; }
    [internal.inspect.custom](depth, options, inspect) {
      const { size, type, name, lastModified } = this;
      return `File ${inspect({ size, type, name, lastModified }, options)}`;
    }
  }

  // What a form keeps of a value: texts, and files under a name.
  const entryOf = (value, name) => {
    if (!isBlob(value)) {
      if (name !== undefined) throw new TypeError("Failed to execute 'append' on 'FormData': parameter 2 is not of type 'Blob'.");
      return `${value}`.toWellFormed();
    }
    if (value instanceof File && name === undefined) return value;
    return new File([value], name ?? 'blob', { type: value.type, lastModified: value.lastModified });
  };
  class FormData {
    #pairs = [];
    constructor(form) {
      if (form !== undefined) throw new TypeError("Failed to construct 'FormData': parameter 1 is not of type 'HTMLFormElement'.");
    }
    append(name, value, file) { this.#pairs.push([`${name}`, entryOf(value, file)]); }
    set(name, value, file) {
      const pair = [`${name}`, entryOf(value, file)], at = this.#pairs.findIndex(([key]) => key === pair[0]);
      if (at < 0) this.#pairs.push(pair);
      else this.#pairs = this.#pairs.with(at, pair).filter(([key], i) => i <= at || key !== pair[0]);
    }
    delete(name) { this.#pairs = this.#pairs.filter(([key]) => key !== `${name}`); }
    get(name) { return this.#pairs.find(([key]) => key === `${name}`)?.[1] ?? null; }
    getAll(name) { return this.#pairs.filter(([key]) => key === `${name}`).map(([, value]) => value); }
    has(name) { return this.#pairs.some(([key]) => key === `${name}`); }
    *entries() { for (const [key, value] of this.#pairs) yield [key, value]; }
    *keys() { for (const [key] of this.#pairs) yield key; }
    *values() { for (const [, value] of this.#pairs) yield value; }
    forEach(callback, self) { for (const [key, value] of this.entries()) callback.call(self, value, key, this); }
    [internal.inspect.custom](depth, options, inspect) {
      const shown = {};
      for (const [key, value] of this.#pairs) shown[key] = Object.hasOwn(shown, key) ? [].concat(shown[key], value) : value;
      return `FormData ${inspect(shown, options)}`;
    }
  }
  FormData.prototype[Symbol.iterator] = FormData.prototype.entries;

  for (const Class of [Blob, File, FormData]) {
    Object.defineProperty(Class.prototype, Symbol.toStringTag, { value: Class.name, configurable: true });
    define(Class.name, Class);
  }
  Object.assign(internal, { Blob, File, FormData, isBlob, blobBytes, isBuffer, joinBytes: joined });
}
