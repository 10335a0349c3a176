//! `URL`: what are the parts of a URL?
//!
//! A compact form of the WHATWG parser: special schemes, IPv4 and IPv6 hosts, the percent-encode sets. Host names beyond ASCII become
//! Punycode; the mapping tables of IDNA are not inside, only lower case and NFC.
(native, internal) => {
  const { define, codedError } = internal;
  const defaultPorts = { 'http:': '80', 'https:': '443', 'ws:': '80', 'wss:': '443', 'ftp:': '21', 'file:': '' };
  const isSpecial = (scheme) => scheme in defaultPorts;
  const encoder = (pattern) => (text) => text.replace(pattern, (part) => {
    let encoded = '';
    for (const byte of native.encodeUtf8(part)) encoded += `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
    return encoded;
  });
  const encodeControl = encoder(/[^\x20-\x7e]+/gu);
  const encodeFragment = encoder(/[^\x21-\x7e]+|["<>`]/gu);
  const encodeQuery = encoder(/[^\x21-\x7e]+|["#<>]/gu);
  const encodeSpecialQuery = encoder(/[^\x21-\x7e]+|["#<>']/gu);
  const encodePath = encoder(/[^\x21-\x7e]+|["#<>?^`{}]/gu);
  const encodeUserinfo = encoder(/[^\x21-\x7e]+|["#<>?`{}/:;=@[\\\]^|]/gu);
  const percentDecode = (text) => {
    if (!text.includes('%')) return text;
    const bytes = native.encodeUtf8(text), out = new Uint8Array(bytes.length);
    let length = 0;
    for (let i = 0; i < bytes.length; i++) {
      const pair = bytes[i] === 0x25 ? String.fromCharCode(bytes[i + 1], bytes[i + 2]) : '';
      if (/^[0-9a-fA-F]{2}$/.test(pair)) { out[length++] = Number.parseInt(pair, 16); i += 2; } else out[length++] = bytes[i];
    }
    return native.decodeUtf8(out.subarray(0, length), false);
  };

  // RFC 3492, encoding only.
  const punycode = (label) => {
    const points = Array.from(label, (character) => character.codePointAt(0));
    let output = points.filter((point) => point < 128).map((point) => String.fromCharCode(point)).join('');
    const basic = output.length;
    let handled = basic, n = 128, delta = 0, bias = 72;
    if (basic > 0) output += '-';
    const digit = (value) => String.fromCharCode(value < 26 ? value + 97 : value + 22);
    while (handled < points.length) {
      const next = Math.min(...points.filter((point) => point >= n));
      delta += (next - n) * (handled + 1);
      n = next;
      for (const point of points) {
        if (point < n) delta++;
        if (point !== n) continue;
        let rest = delta;
        for (let k = 36; ; k += 36) {
          const threshold = k <= bias ? 1 : k >= bias + 26 ? 26 : k - bias;
          if (rest < threshold) break;
          output += digit(threshold + ((rest - threshold) % (36 - threshold)));
          rest = Math.floor((rest - threshold) / (36 - threshold));
        }
        output += digit(rest);
        delta = handled === basic ? Math.floor(delta / 700) : delta >> 1;
        delta += Math.floor(delta / (handled + 1));
        let k = 0;
        for (; delta > 455; k += 36) delta = Math.floor(delta / 35);
        bias = k + Math.floor((36 * delta) / (delta + 38));
        delta = 0;
        handled++;
      }
      delta++;
      n++;
    }
    return output;
  };

  const parseIpv4Part = (part) => {
    if (part === '') return NaN;
    if (/^0[xX][0-9a-fA-F]*$/.test(part)) return part.length === 2 ? 0 : Number.parseInt(part, 16);
    if (/^0[0-7]*$/.test(part)) return Number.parseInt(part, 8);
    return /^[0-9]+$/.test(part) && part[0] !== '0' ? Number(part) : NaN;
  };
  const parseIpv4 = (host) => {
    const parts = host.split('.');
    if (parts.length > 1 && parts.at(-1) === '') parts.pop();
    const last = parts.at(-1);
    if (!/^[0-9]+$/.test(last) && !/^0[xX][0-9a-fA-F]*$/.test(last)) return undefined;
    if (parts.length > 4) return null;
    const numbers = parts.map(parseIpv4Part);
    if (numbers.some((number) => Number.isNaN(number)) || numbers.slice(0, -1).some((number) => number > 255)) return null;
    if (numbers.at(-1) >= 256 ** (5 - numbers.length)) return null;
    let address = numbers.at(-1);
    numbers.slice(0, -1).forEach((number, i) => { address += number * 256 ** (3 - i); });
    return [24, 16, 8, 0].map((shift) => Math.floor(address / 2 ** shift) % 256).join('.');
  };
  const parseIpv6 = (text) => {
    const ipv4 = /^(.*:)(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(text);
    if (ipv4) {
      const bytes = ipv4.slice(2).map(Number);
      if (bytes.some((byte) => byte > 255)) return null;
      text = `${ipv4[1]}${(bytes[0] * 256 + bytes[1]).toString(16)}:${(bytes[2] * 256 + bytes[3]).toString(16)}`;
    }
    const halves = text.split('::');
    if (halves.length > 2) return null;
    const pieces = (half) => (half === '' ? [] : half.split(':'));
    const [head, tail] = [pieces(halves[0]), pieces(halves[1] ?? '')];
    const missing = 8 - head.length - tail.length;
    if (halves.length === 2 ? missing < 1 : missing !== 0) return null;
    const all = [...head, ...Array(missing).fill('0'), ...tail];
    if (all.some((piece) => !/^[0-9a-fA-F]{1,4}$/.test(piece))) return null;
    const numbers = all.map((piece) => Number.parseInt(piece, 16));
    let best = -1, bestLength = 1;
    for (let i = 0; i < 8; i++) {
      let end = i;
      while (end < 8 && numbers[end] === 0) end++;
      if (end - i > bestLength) { best = i; bestLength = end - i; }
      if (end > i) i = end;
    }
    const shown = (from, to) => numbers.slice(from, to).map((number) => number.toString(16)).join(':');
    return `[${best < 0 ? shown(0, 8) : `${shown(0, best)}::${shown(best + bestLength, 8)}`}]`;
  };

  // Null if it is not a host.
  const parseHost = (text, special) => {
    if (text.startsWith('[')) return text.endsWith(']') ? parseIpv6(text.slice(1, -1)) : null;
    if (!special) return /[\0\t\n\r #/:<>?@[\\\]^|]/.test(text) ? null : encodeControl(text);
    let host = percentDecode(text).normalize('NFC').toLowerCase().replace(/[。．｡]/g, '.').replace(/\u00ad/g, '');
    if (host.includes('\ufffd')) return null;
    host = host.split('.').map((label) => (/[^\x00-\x7f]/.test(label) ? `xn--${punycode(label)}` : label)).join('.');
    if (host === '' || /[\x00-\x20"#%/:<>?@[\\\]^`{|}\x7f]/.test(host)) return null;
    const address = parseIpv4(host);
    return address === undefined ? host : address;
  };

  const isDrive = (part) => /^[a-zA-Z][:|]$/.test(part);
  const isSingleDot = (part) => /^(\.|%2e)$/i.test(part);
  const isDoubleDot = (part) => /^(\.|%2e){2}$/i.test(part);
  const shorten = (url) => {
    if (url.scheme === 'file:' && url.path.length === 1 && /^[a-zA-Z]:$/.test(url.path[0])) return;
    url.path.pop();
  };
  const addPath = (url, text) => {
    const parts = text.split(isSpecial(url.scheme) ? /[/\\]/ : '/');
    parts.forEach((part, i) => {
      const isLast = i === parts.length - 1;
      if (isDoubleDot(part)) {
        shorten(url);
        if (isLast) url.path.push('');
      } else if (isSingleDot(part)) {
        if (isLast) url.path.push('');
      } else {
        if (url.scheme === 'file:' && url.path.length === 0 && isDrive(part)) part = `${part[0]}:`;
        url.path.push(encodePath(part));
      }
    });
  };

  const parseAuthority = (url, text) => {
    const special = isSpecial(url.scheme);
    const at = text.lastIndexOf('@');
    let host = text.slice(at + 1);
    if (at >= 0) {
      const info = text.slice(0, at), colon = info.indexOf(':');
      url.username = encodeUserinfo(colon < 0 ? info : info.slice(0, colon));
      url.password = colon < 0 ? '' : encodeUserinfo(info.slice(colon + 1));
      if (host === '') return false;
    }
    const port = /:([^:\]]*)$/.exec(host);
    if (port) {
      if (url.scheme === 'file:') return false;
      host = host.slice(0, port.index);
      if (!setPort(url, port[1]) || host === '') return false;
    }
    if (host === '') {
      if (special && url.scheme !== 'file:') return false;
      url.host = '';
      return true;
    }
    url.host = parseHost(host, special);
    if (url.scheme === 'file:' && url.host === 'localhost') url.host = '';
    return url.host !== null;
  };
  const setPort = (url, text) => {
    if (!/^[0-9]*$/.test(text) || Number(text) > 65535) return false;
    url.port = text === '' || `${Number(text)}` === defaultPorts[url.scheme] ? '' : `${Number(text)}`;
    return true;
  };

  const inherit = (url, base, withPath) => {
    Object.assign(url, { username: base.username, password: base.password, host: base.host, port: base.port });
    if (withPath) url.path = [...base.path];
  };
  const parseRelative = (url, rest, base) => {
    const special = isSpecial(url.scheme);
    const isSlash = (character) => character === '/' || (special && character === '\\');
    if (isSlash(rest[0]) && isSlash(rest[1])) return parseAfterSlashes(url, rest.slice(2));
    inherit(url, base, !isSlash(rest[0]));
    if (rest === '') {
      if (url.query === null) url.query = base.query;
      return true;
    }
    if (isSlash(rest[0])) {
      if (url.scheme === 'file:' && base.path.length > 0 && /^[a-zA-Z]:$/.test(base.path[0]) && !isDrive(rest.slice(1).split(/[/\\]/)[0])) url.path = [base.path[0]];
      addPath(url, rest.slice(1));
      return true;
    }
    shorten(url);
    addPath(url, rest);
    return true;
  };
  const parseAfterSlashes = (url, text) => {
    const special = isSpecial(url.scheme);
    if (url.scheme === 'file:' && isDrive(text.split(/[/\\]/)[0])) {
      url.host = '';
      addPath(url, text);
      return true;
    }
    const end = text.search(special ? /[/\\]/ : /\//);
    if (!parseAuthority(url, end < 0 ? text : text.slice(0, end))) return false;
    if (end >= 0) addPath(url, text.slice(end + 1));
    else if (special) url.path = [''];
    return true;
  };

  // Null if the text is not a URL.
  const parse = (input, base) => {
    let text = input.replace(/^[\x00-\x20]+|[\x00-\x20]+$/g, '').replace(/[\t\n\r]/g, '').toWellFormed();
    const url = { scheme: '', username: '', password: '', host: null, port: '', path: [], opaque: null, query: null, fragment: null };
    const hash = text.indexOf('#');
    if (hash >= 0) {
      url.fragment = encodeFragment(text.slice(hash + 1));
      text = text.slice(0, hash);
    }
    const scheme = /^([a-zA-Z][a-zA-Z0-9+.-]*):/.exec(text);
    if (!scheme && !base) return null;
    url.scheme = scheme ? `${scheme[1].toLowerCase()}:` : base.scheme;
    let rest = scheme ? text.slice(scheme[0].length) : text;
    const special = isSpecial(url.scheme);
    const question = rest.indexOf('?');
    if (question >= 0) {
      url.query = (special ? encodeSpecialQuery : encodeQuery)(rest.slice(question + 1));
      rest = rest.slice(0, question);
    }
    if (!scheme && base.opaque !== null) {
      if (rest !== '' || question >= 0 || hash < 0) return null;
      return { ...base, fragment: url.fragment };
    }
    if (!scheme || (special && base && base.scheme === url.scheme && !/^[/\\]{2}/.test(rest))) {
      if (!base || base.opaque !== null) return null;
      return parseRelative(url, rest, base) ? url : null;
    }
    if (special) {
      if (url.scheme === 'file:') {
        if (!/^[/\\]{2}/.test(rest)) {
          url.host = '';
          addPath(url, rest.replace(/^[/\\]/, ''));
          return url;
        }
        return parseAfterSlashes(url, rest.slice(2)) ? url : null;
      }
      return parseAfterSlashes(url, rest.replace(/^[/\\]*/, '')) ? url : null;
    }
    if (rest.startsWith('//')) return parseAfterSlashes(url, rest.slice(2)) ? url : null;
    if (rest.startsWith('/')) addPath(url, rest.slice(1));
    else url.opaque = encodeControl(rest);
    return url;
  };

  const pathOf = (url) => (url.opaque !== null ? url.opaque : url.path.length > 0 ? `/${url.path.join('/')}` : '');
  const hostOf = (url) => (url.host === null ? '' : url.port === '' ? url.host : `${url.host}:${url.port}`);
  const serialize = (url) => {
    let text = url.scheme;
    if (url.host !== null) {
      text += '//';
      if (url.username !== '' || url.password !== '') text += `${url.username}${url.password === '' ? '' : `:${url.password}`}@`;
      text += hostOf(url);
    } else if (url.opaque === null && url.path.length > 1 && url.path[0] === '') text += '/.';
    text += pathOf(url);
    if (url.query !== null) text += `?${url.query}`;
    if (url.fragment !== null) text += `#${url.fragment}`;
    return text;
  };

  const encodeForm = (text) => text.split(' ').map(encoder(/[^A-Za-z0-9*\-._]+/gu)).join('+');
  const decodeForm = (text) => percentDecode(text.replace(/\+/g, ' '));
  const parseForm = (text) => text.split('&').filter((part) => part !== '').map((part) => {
    const equals = part.indexOf('=');
    return equals < 0 ? [decodeForm(part), ''] : [decodeForm(part.slice(0, equals)), decodeForm(part.slice(equals + 1))];
  });

  class URLSearchParams {
    #pairs = []; #update = null;
    constructor(init = '') {
      if (typeof init === 'object' && init !== null || typeof init === 'function') {
        if (init[Symbol.iterator]) {
          for (const pair of init) {
            const two = [...pair];
            if (two.length !== 2) throw codedError(TypeError, 'ERR_INVALID_TUPLE', 'Each query pair must be an iterable [name, value] tuple');
            this.#pairs.push(two.map((part) => `${part}`.toWellFormed()));
          }
        } else for (const key of Object.keys(init)) this.#pairs.push([key.toWellFormed(), `${init[key]}`.toWellFormed()]);
      } else {
        const text = `${init}`.toWellFormed();
        this.#pairs = parseForm(text.startsWith('?') ? text.slice(1) : text);
      }
    }
    static _bind(params, update) { params.#update = update; }
    static _reset(params, query) { params.#pairs = parseForm(query); }
    #changed() { this.#update?.(this.toString()); }
    get size() { return this.#pairs.length; }
    append(name, value) { this.#pairs.push([`${name}`.toWellFormed(), `${value}`.toWellFormed()]); this.#changed(); }
    delete(name, value) {
      this.#pairs = this.#pairs.filter(([key, item]) => key !== `${name}` || (value !== undefined && item !== `${value}`));
      this.#changed();
    }
    get(name) { return this.#pairs.find(([key]) => key === `${name}`)?.[1] ?? null; }
    getAll(name) { return this.#pairs.filter(([key]) => key === `${name}`).map(([, value]) => value); }
    has(name, value) { return this.#pairs.some(([key, item]) => key === `${name}` && (value === undefined || item === `${value}`)); }
    set(name, value) {
      const at = this.#pairs.findIndex(([key]) => key === `${name}`);
      if (at < 0) this.#pairs.push([`${name}`.toWellFormed(), `${value}`.toWellFormed()]);
      else {
        this.#pairs[at][1] = `${value}`.toWellFormed();
        this.#pairs = this.#pairs.filter(([key], i) => i <= at || key !== `${name}`);
      }
      this.#changed();
    }
    sort() { this.#pairs.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)); this.#changed(); }
    forEach(callback, self) { for (const [key, value] of this.#pairs) callback.call(self, value, key, this); }
    *entries() { for (let i = 0; i < this.#pairs.length; i++) yield [...this.#pairs[i]]; }
    *keys() { for (const [key] of this.entries()) yield key; }
    *values() { for (const [, value] of this.entries()) yield value; }
    toString() { return this.#pairs.map((pair) => pair.map(encodeForm).join('=')).join('&'); }
    [internal.inspect.custom](depth, options, inspect) {
      if (this.#pairs.length === 0) return 'URLSearchParams {}';
      return `URLSearchParams { ${this.#pairs.map(([key, value]) => `${inspect(key, options)} => ${inspect(value, options)}`).join(', ')} }`;
    }
  }
  URLSearchParams.prototype[Symbol.iterator] = URLSearchParams.prototype.entries;
  const { _bind: bindParams, _reset: resetParams } = URLSearchParams;
  delete URLSearchParams._bind;
  delete URLSearchParams._reset;

  const invalid = (input, base) => {
    const error = codedError(TypeError, 'ERR_INVALID_URL', 'Invalid URL');
    error.input = input;
    if (base !== undefined) error.base = base;
    return error;
  };

  class URL {
    #url; #params = null;
    constructor(input, base) {
      if (arguments.length === 0) throw codedError(TypeError, 'ERR_MISSING_ARGS', 'The "url" argument must be specified');
      let parsedBase = null;
      if (base !== undefined) {
        parsedBase = parse(`${base}`, null);
        if (parsedBase === null) throw invalid(`${input}`, `${base}`);
      }
      this.#url = parse(`${input}`, parsedBase);
      if (this.#url === null) throw invalid(`${input}`, base === undefined ? undefined : `${base}`);
    }
    static canParse(input, base) { return URL.parse(input, base) !== null; }
    static parse(input, base) { try { return new URL(input, base); } catch { return null; } }
    get href() { return serialize(this.#url); }
    set href(value) {
      const url = parse(`${value}`, null);
      if (url === null) throw invalid(`${value}`);
      this.#url = url;
      if (this.#params) resetParams(this.#params, url.query ?? '');
    }
    get origin() { return isSpecial(this.#url.scheme) && this.#url.scheme !== 'file:' ? `${this.#url.scheme}//${hostOf(this.#url)}` : 'null'; }
    get protocol() { return this.#url.scheme; }
    set protocol(value) {
      const scheme = /^([a-zA-Z][a-zA-Z0-9+.-]*):?/.exec(`${value}`);
      if (!scheme || isSpecial(`${scheme[1].toLowerCase()}:`) !== isSpecial(this.#url.scheme)) return;
      this.#url.scheme = `${scheme[1].toLowerCase()}:`;
      if (this.#url.port === defaultPorts[this.#url.scheme]) this.#url.port = '';
    }
    get username() { return this.#url.username; }
    set username(value) { if (this.#url.host) this.#url.username = encodeUserinfo(`${value}`); }
    get password() { return this.#url.password; }
    set password(value) { if (this.#url.host) this.#url.password = encodeUserinfo(`${value}`); }
    get host() { return hostOf(this.#url); }
    set host(value) {
      if (this.#url.opaque !== null) return;
      const text = `${value}`.split(isSpecial(this.#url.scheme) ? /[/\\?#]/ : /[/?#]/)[0];
      const port = /:([0-9]*)$/.exec(text);
      const host = parseHost(port ? text.slice(0, port.index) : text, isSpecial(this.#url.scheme));
      if (host === null) return;
      this.#url.host = host;
      if (port && port[1] !== '') setPort(this.#url, port[1]);
    }
    get hostname() { return this.#url.host ?? ''; }
    set hostname(value) {
      if (this.#url.opaque !== null) return;
      const host = parseHost(`${value}`.split(/[/?#]/)[0], isSpecial(this.#url.scheme));
      if (host !== null) this.#url.host = host;
    }
    get port() { return this.#url.port; }
    set port(value) { if (this.#url.host && this.#url.scheme !== 'file:') setPort(this.#url, /^[0-9]*/.exec(`${value}`)[0]); }
    get pathname() { return pathOf(this.#url); }
    set pathname(value) {
      if (this.#url.opaque !== null) return;
      this.#url.path = [];
      addPath(this.#url, `${value}`.replace(isSpecial(this.#url.scheme) ? /^[/\\]/ : /^\//, ''));
    }
    get search() { return this.#url.query ? `?${this.#url.query}` : ''; }
    set search(value) {
      const text = `${value}`.replace(/^\?/, '');
      this.#url.query = `${value}` === '' ? null : (isSpecial(this.#url.scheme) ? encodeSpecialQuery : encodeQuery)(text);
      if (this.#params) resetParams(this.#params, text);
    }
    get searchParams() {
      if (this.#params === null) {
        this.#params = new URLSearchParams(this.#url.query ?? '');
        bindParams(this.#params, (query) => { this.#url.query = query === '' ? null : query; });
      }
      return this.#params;
    }
    get hash() { return this.#url.fragment ? `#${this.#url.fragment}` : ''; }
    set hash(value) { this.#url.fragment = `${value}` === '' ? null : encodeFragment(`${value}`.replace(/^#/, '')); }
    toString() { return this.href; }
    toJSON() { return this.href; }
    [internal.inspect.custom](depth, options, inspect) {
      const shown = {};
      for (const name of ['href', 'origin', 'protocol', 'username', 'password', 'host', 'hostname', 'port', 'pathname', 'search', 'searchParams', 'hash']) shown[name] = this[name];
      return `URL ${inspect(shown, options)}`;
    }
  }
  for (const Class of [URL, URLSearchParams]) {
    for (const name of Object.getOwnPropertyNames(Class.prototype)) {
      if (name !== 'constructor') Object.defineProperty(Class.prototype, name, { enumerable: true });
    }
    Object.defineProperty(Class.prototype, Symbol.toStringTag, { value: Class.name, configurable: true });
    define(Class.name, Class);
  }

  const { codes } = internal.node('internal/errors');
  const percentBytes = (text) => internal.toBuffer(percentDecodeBytes(text));
  const percentDecodeBytes = (text) => {
    const bytes = native.encodeUtf8(text), out = new Uint8Array(bytes.length);
    let size = 0;
    for (let i = 0; i < bytes.length; i++) {
      const hex = bytes[i] === 37 ? /^[0-9a-fA-F]{2}/.exec(String.fromCharCode(bytes[i + 1], bytes[i + 2])) : null;
      out[size++] = hex ? parseInt(hex[0], 16) : bytes[i];
      if (hex) i += 2;
    }
    return out.slice(0, size);
  };
  const isURL = (value) => Boolean(value?.href && value.protocol && value.auth === undefined && value.path === undefined);
  const windowsPath = (url) => {
    if (/%2f|%5c/i.test(url.pathname)) throw new codes.ERR_INVALID_FILE_URL_PATH('must not include encoded \\ or / characters', url);
    const text = percentDecode(url.pathname.replaceAll('/', '\\'));
    if (url.hostname !== '') return `\\\\${domainToUnicode(url.hostname)}${text}`;
    if (!/^\\[a-zA-Z]:/.test(text)) throw new codes.ERR_INVALID_FILE_URL_PATH('must be absolute', url);
    return text.slice(1);
  };
  const checkFileUrl = (url) => {
    if (url.hostname !== '') throw new codes.ERR_INVALID_FILE_URL_HOST(process.platform);
    if (/%2f/i.test(url.pathname)) throw new codes.ERR_INVALID_FILE_URL_PATH('must not include encoded / characters', url);
  };
  const fileURLOf = (value) => {
    const url = typeof value === 'string' ? new URL(value) : value;
    if (!isURL(url)) throw new codes.ERR_INVALID_ARG_TYPE('path', ['string', 'URL'], value);
    if (url.protocol !== 'file:') throw new codes.ERR_INVALID_URL_SCHEME('file');
    return url;
  };
  const fileURLToPath = (value, options) => {
    const url = fileURLOf(value);
    if (options?.windows) return windowsPath(url);
    checkFileUrl(url);
    return percentDecode(url.pathname);
  };
  const fileURLToPathBuffer = (value, options) => {
    const url = fileURLOf(value);
    if (options?.windows) return internal.toBuffer(native.encodeUtf8(windowsPath(url)));
    checkFileUrl(url);
    return percentBytes(url.pathname);
  };
  const pathToFileURL = (file, options) => {
    internal.node('internal/validators').validateString(file, 'path');
    const path = internal.node('path'), isWindows = Boolean(options?.windows);
    const url = (text, host = '') => {
      const made = new URL(`file://${host}/`);
      made.pathname = text.replace(isWindows ? /[%\n\r\t?#[\]^|~]/g : /[%\n\r\t\\?#[\]^|~]/g, (letter) => `%${letter.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`);
      return made;
    };
    if (isWindows && /^\\\\\?\\(?!UNC\\)/.test(file)) file = file.slice(4);
    let full = isWindows ? (file.startsWith('\\\\') ? file : path.win32.resolve(file)) : path.posix.resolve(file);
    if (isWindows && full.startsWith('\\\\')) {
      const start = full.startsWith('\\\\?\\UNC\\') ? 8 : 2, end = full.indexOf('\\', start);
      if (end === -1) throw new codes.ERR_INVALID_ARG_VALUE('path', full, 'Missing UNC resource path');
      if (end === 2) throw new codes.ERR_INVALID_ARG_VALUE('path', full, 'Empty UNC servername');
      return url(full.slice(end).replaceAll('\\', '/'), full.slice(start, end));
    }
    if ((file.endsWith('/') || (isWindows && file.endsWith('\\'))) && !full.endsWith(isWindows ? '\\' : '/')) full += '/';
    return url(isWindows ? full.replaceAll('\\', '/') : full);
  };
  const domainToASCII = (domain) => { if (domain === undefined) throw new codes.ERR_MISSING_ARGS('domain'); return parseHost(`${domain}`, true) ?? ''; };
  const domainToUnicode = (domain) => { if (domain === undefined) throw new codes.ERR_MISSING_ARGS('domain'); return internal.lazy('punycode').toUnicode(parseHost(`${domain}`, true) ?? ''); };
  internal.fileURLToPath = fileURLToPath;
  const urlToHttpOptions = (url) => {
    const { validateObject, kValidateObjectAllowObjects } = internal.node('internal/validators');
    validateObject(url, 'url', kValidateObjectAllowObjects);
    const options = { __proto__: null, ...url, protocol: url.protocol, hostname: url.hostname?.startsWith('[') ? url.hostname.slice(1, -1) : url.hostname, hash: url.hash, search: url.search, pathname: url.pathname, path: `${url.pathname || ''}${url.search || ''}`, href: url.href };
    if (url.port !== '') options.port = Number(url.port);
    if (url.username || url.password) options.auth = `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`;
    return options;
  };
  const pathOfUrl = (value, options) => (isURL(value) ? fileURLToPath(value, options) : value);
  const protocols = (...names) => new Set(names.flatMap((name) => [name, `${name}:`]));
  // Without the check of numbers, which the old functions do not make.
  internal.hostToAscii = (host) => (/^[\x00-\x7f]*$/.test(host) ? host.toLowerCase() : parseHost(host, true) ?? '');
  internal.urlParts = {
    URL, URLSearchParams, isURL, fileURLToPath, fileURLToPathBuffer, pathToFileURL, toPathIfFileURL: pathOfUrl, toPathIfFileURLPath: pathOfUrl, domainToASCII, domainToUnicode, urlToHttpOptions,
    unsafeProtocol: protocols('javascript'), hostlessProtocol: protocols('javascript'), slashedProtocol: protocols('http', 'https', 'ftp', 'gopher', 'file', 'ws', 'wss'), installObjectURLMethods() {},
  };
  internal.builtins['url'] = () => internal.node('url');
}
