//! The old functions of `node:url`: which parts does a text have that may be an address?
(native, internal) => {
  const { codedError } = internal;
  const WITH_SLASHES = ['http:', 'https:', 'ftp:', 'gopher:', 'file:', 'ws:', 'wss:'];
  // What an address must not hold as it is.
  const escapes = { '\t': '%09', '\n': '%0A', '\r': '%0D', ' ': '%20', '"': '%22', "'": '%27', '<': '%3C', '>': '%3E', '\\': '%5C', '^': '%5E', '`': '%60', '{': '%7B', '|': '%7C', '}': '%7D' };
  const escaped = (text) => text.replace(/[\t\n\r "'<>\\^`{|}]/g, (letter) => escapes[letter]);
  class Url {
    constructor() { Object.assign(this, { protocol: null, slashes: null, auth: null, host: null, port: null, hostname: null, hash: null, search: null, query: null, pathname: null, path: null, href: null }); }
    parse(text, parsesQuery, slashesMeanHost) { return Object.assign(this, parse(text, parsesQuery, slashesMeanHost)); }
    format() { return format(this); }
    resolve(relative) { return resolve(this.href ?? format(this), relative); }
  }
  const takeHost = (url, rest) => {
    const end = rest.search(/[/?#]/), at = rest.lastIndexOf('@', end < 0 ? undefined : end);
    let host = end < 0 ? rest : rest.slice(0, end);
    if (at >= 0 && (end < 0 || at < end)) {
      url.auth = decodeURIComponent(host.slice(0, at));
      host = host.slice(at + 1);
    }
    // What cannot be in a host belongs to the path.
    const [, valid] = /^([^\t\n\r "%'<>\\^`{|};]*)/.exec(host), left = host.slice(valid.length) + (end < 0 ? '' : rest.slice(end));
    const port = /:(\d*)$/.exec(valid);
    url.hostname = (port ? valid.slice(0, port.index) : valid).toLowerCase();
    if (port && port[1] !== '') [, url.port] = port;
    url.host = `${url.hostname}${url.port === null ? '' : `:${url.port}`}`;
    if (/^\[.*\]$/.test(url.hostname)) url.hostname = url.hostname.slice(1, -1);
    return left !== '' && !/^[/?#]/.test(left) ? `/${left}` : left;
  };
  const parse = (text, parsesQuery = false, slashesMeanHost = false) => {
    if (text instanceof Url) return text;
    if (typeof text !== 'string') throw codedError(TypeError, 'ERR_INVALID_ARG_TYPE', `The "url" argument must be of type string. Received ${internal.received(text)}`);
    const url = new Url();
    // Backslashes in front of the query are slashes.
    let rest = text.trim().replace(/^[^?#]*/, (part) => part.replaceAll('\\', '/'));
    const [, protocol] = /^([a-z0-9.+-]+:)/i.exec(rest) ?? [];
    if (protocol !== undefined) {
      url.protocol = protocol.toLowerCase();
      rest = rest.slice(protocol.length);
    }
    const isScript = url.protocol === 'javascript:';
    if (rest.startsWith('//') && !isScript && (slashesMeanHost || protocol !== undefined || /^\/\/[^@/]+@[^@/]+/.test(rest))) {
      url.slashes = true;
      rest = takeHost(url, rest.slice(2));
    } else if (protocol !== undefined && !isScript && !WITH_SLASHES.includes(url.protocol)) rest = takeHost(url, rest);
    rest = isScript ? rest : escaped(rest);
    const hash = rest.indexOf('#');
    if (hash >= 0) { url.hash = rest.slice(hash); rest = rest.slice(0, hash); }
    const query = rest.indexOf('?');
    if (query >= 0) { url.search = rest.slice(query); url.query = url.search.slice(1); rest = rest.slice(0, query); } 
    if (parsesQuery) url.query = internal.lazy('querystring').parse(url.query ?? '');
    if (rest !== '') url.pathname = rest;
    else if (url.slashes && WITH_SLASHES.includes(url.protocol) && url.hostname !== null) url.pathname = '/';
    if (url.pathname !== null || url.search) url.path = `${url.pathname ?? ''}${url.search ?? ''}`;
    url.href = format(url);
    return url;
  };
  const format = (url, options) => {
    if (typeof url === 'string') return parse(url).href;
    if (url instanceof URL) {
      const copy = new URL(url.href), { auth = true, fragment = true, search = true } = options ?? {};
      if (!auth) copy.username = copy.password = '';
      if (!fragment) copy.hash = '';
      if (!search) copy.search = '';
      return copy.href;
    }
    if (typeof url !== 'object' || url === null) throw codedError(TypeError, 'ERR_INVALID_ARG_TYPE', `The "urlObject" argument must be of type object or string. Received ${internal.received(url)}`);
    let protocol = url.protocol ?? '', host = '';
    if (protocol !== '' && !protocol.endsWith(':')) protocol += ':';
    const auth = url.auth ? `${encodeURIComponent(url.auth).replace(/%3A/i, ':')}@` : '';
    if (url.host) host = auth + url.host;
    else if (url.hostname) host = `${auth}${url.hostname.includes(':') && !url.hostname.startsWith('[') ? `[${url.hostname}]` : url.hostname}${url.port ? `:${url.port}` : ''}`;
    let search = url.search ?? '', hash = url.hash ?? '', pathname = url.pathname ?? '';
    if (typeof url.query === 'object' && url.query !== null && search === '') search = internal.lazy('querystring').stringify(url.query);
    if (search !== '' && !search.startsWith('?')) search = `?${search}`;
    if (hash !== '' && !hash.startsWith('#')) hash = `#${hash}`;
    pathname = pathname.replace(/[?#]/g, encodeURIComponent);
    search = search.replaceAll('#', '%23');
    if (url.slashes || (WITH_SLASHES.includes(protocol) && (host !== '' || protocol === 'file:'))) {
      if (pathname !== '' && !pathname.startsWith('/') && (url.slashes || host !== '')) pathname = `/${pathname}`;
      host = `//${host}`;
    }
    return protocol + host + pathname + search + hash;
  };
  const resolve = (from, to) => {
    if (/^[a-z][a-z0-9.+-]*:/i.test(to)) return parse(to).href;
    const hasBase = /^[a-z][a-z0-9.+-]*:\/\//i.test(from), isLocal = !from.startsWith('/') && !to.startsWith('/');
    if (!hasBase && /^[a-z][a-z0-9.+-]*:/i.test(from)) return parse(from).protocol + resolve(from.slice(from.indexOf(':') + 1), to);
    const base = hasBase ? from : new URL(from, 'glovebox://host/');
    const { href } = new URL(to, base);
    if (hasBase) return href;
    const path = href.startsWith('glovebox://host/') ? href.slice('glovebox://host'.length) : href.slice('glovebox:'.length);
    return isLocal ? path.slice(1) : path;
  };
  const urlToHttpOptions = (url) => ({
    protocol: url.protocol, hostname: url.hostname.replace(/^\[(.*)\]$/, '$1'), hash: url.hash, search: url.search, pathname: url.pathname, path: `${url.pathname}${url.search}`, href: url.href,
    ...(url.port === '' ? {} : { port: Number(url.port) }), ...(url.username || url.password ? { auth: `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}` } : {}),
  });
  return { Url, parse, format, resolve, resolveObject: (from, to) => parse(resolve(from, to)), urlToHttpOptions };
}
