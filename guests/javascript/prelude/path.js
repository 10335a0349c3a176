//! Paths: how does the guest itself resolve them? (programs get Node's own `path`)
(native, internal) => {
  const check = (value, name) => {
    if (typeof value !== 'string') throw internal.codedError(TypeError, 'ERR_INVALID_ARG_TYPE', `The "${name}" argument must be of type string. Received ${internal.received(value)}`);
  };
  const reduce = (path, isAbsolute) => {
    const parts = [];
    for (const part of path.split('/')) {
      if (part === '' || part === '.') continue;
      if (part !== '..') parts.push(part);
      else if (parts.length > 0 && parts.at(-1) !== '..') parts.pop();
      else if (!isAbsolute) parts.push('..');
    }
    return parts.join('/');
  };
  const path = {
    sep: '/', delimiter: ':',
    normalize(text) {
      check(text, 'path');
      if (text === '') return '.';
      const isAbsolute = text[0] === '/';
      let result = reduce(text, isAbsolute);
      if (result === '' && !isAbsolute) result = '.';
      if (result !== '' && text.endsWith('/')) result += '/';
      return isAbsolute ? `/${result}` : result;
    },
    isAbsolute(text) { check(text, 'path'); return text[0] === '/'; },
    join(...parts) {
      for (const part of parts) check(part, 'path');
      const joined = parts.filter((part) => part !== '').join('/');
      return joined === '' ? '.' : path.normalize(joined);
    },
    resolve(...parts) {
      let result = '';
      for (let i = parts.length - 1; i >= 0 && result[0] !== '/'; i--) {
        check(parts[i], 'path');
        if (parts[i] !== '') result = result === '' ? parts[i] : `${parts[i]}/${result}`;
      }
      if (result[0] !== '/') result = `${internal.cwd()}/${result}`;
      return `/${reduce(result, true)}`;
    },
    relative(from, to) {
      const a = path.resolve(from).split('/').filter(Boolean), b = path.resolve(to).split('/').filter(Boolean);
      let same = 0;
      while (same < a.length && same < b.length && a[same] === b[same]) same++;
      return [...Array(a.length - same).fill('..'), ...b.slice(same)].join('/');
    },
    dirname(text) {
      check(text, 'path');
      const trimmed = text.replace(/(?<=.)\/+$/, '');
      const slash = trimmed.lastIndexOf('/');
      if (slash < 0) return '.';
      return slash === 0 ? '/' : trimmed.slice(0, slash).replace(/(?<=.)\/+$/, '');
    },
    basename(text, suffix) {
      check(text, 'path');
      const base = text.replace(/\/+$/, '').split('/').at(-1);
      return suffix !== undefined && base.endsWith(suffix) && base !== suffix ? base.slice(0, -suffix.length) : base;
    },
    extname(text) {
      const base = path.basename(text);
      const dot = base.lastIndexOf('.');
      return dot <= 0 || /^\.+$/.test(base.slice(0, dot + 1)) && base === '..' ? '' : base.slice(dot);
    },
    parse(text) {
      const root = text[0] === '/' ? '/' : '';
      const base = path.basename(text), ext = path.extname(text);
      const dir = path.dirname(text);
      return { root, dir: dir === '.' && !text.startsWith('.') ? '' : dir, base, ext, name: ext ? base.slice(0, -ext.length) : base };
    },
    format({ dir, root = '', base, name = '', ext = '' }) {
      const file = base ?? name + (ext === '' || ext.startsWith('.') ? ext : `.${ext}`);
      const folder = dir ?? root;
      return folder === '' ? file : folder === root ? folder + file : `${folder}/${file}`;
    },
    toNamespacedPath: (text) => text,
    matchesGlob: undefined,
  };
  delete path.matchesGlob;
  internal.path = path;
}
