//! `node:querystring`: how do names and values become a query, and a query names and values?
(native, internal) => {
  const escape = (text) => encodeURIComponent((typeof text === 'string' ? text : `${text}`).toWellFormed());
  const unescape = (text) => {
    try { return decodeURIComponent(text); } catch {
      // As far as it can be decoded.
      const bytes = [];
      for (let i = 0; i < text.length; i++) {
        const hex = text[i] === '%' ? /^[0-9a-fA-F]{2}/.exec(text.slice(i + 1, i + 3)) : null;
        if (hex) { bytes.push(parseInt(hex[0], 16)); i += 2; } else bytes.push(...native.encodeUtf8(text[i]));
      }
      return native.decodeUtf8(Uint8Array.from(bytes), false);
    }
  };
  const primitive = (value) => {
    if (typeof value === 'string') return value;
    if (typeof value === 'number') return Number.isFinite(value) ? `${value}` : '';
    return typeof value === 'bigint' || typeof value === 'boolean' ? `${value}` : '';
  };
  const querystring = {
    escape, unescape,
    stringify(values, separator = '&', equals = '=', options = {}) {
      if (typeof values !== 'object' || values === null) return '';
      const encode = options?.encodeURIComponent ?? querystring.escape, parts = [];
      for (const name of Object.keys(values)) {
        const start = encode(primitive(name)) + (equals || '=');
        for (const value of Array.isArray(values[name]) ? values[name] : [values[name]]) parts.push(start + encode(primitive(value)));
      }
      return parts.join(separator || '&');
    },
    parse(text, separator = '&', equals = '=', options = {}) {
      const found = Object.create(null);
      if (typeof text !== 'string' || text === '') return found;
      const decode = options?.decodeURIComponent ?? querystring.unescape, most = options?.maxKeys ?? 1000;
      let parts = text.split(separator || '&');
      if (most > 0) parts = parts.slice(0, most);
      const decoded = (part) => { const spaced = part.replaceAll('+', ' '); try { return decode(spaced); } catch { return unescape(spaced); } };
      for (const part of parts) {
        if (part === '') continue;
        const at = part.indexOf(equals || '=');
        const name = decoded(at < 0 ? part : part.slice(0, at)), value = at < 0 ? '' : decoded(part.slice(at + (equals || '=').length));
        if (!(name in found)) found[name] = value;
        else if (Array.isArray(found[name])) found[name].push(value);
        else found[name] = [found[name], value];
      }
      return found;
    },
  };
  querystring.encode = querystring.stringify;
  querystring.decode = querystring.parse;
  return querystring;
}
