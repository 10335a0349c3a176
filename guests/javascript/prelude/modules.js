//! Module resolution: which module does a name mean, for `import` and for `require`?
(native, internal) => {
  const { define, codedError, path } = internal;
  const made = new Map();
  const isBuiltin = (name) => (name.startsWith('node:') ? name.slice(5) : name) in internal.builtins;
  internal.builtin = (name) => {
    if (!made.has(name)) made.set(name, internal.builtins[name]());
    return made.get(name);
  };
  const builtinOf = (name) => internal.builtin(name.startsWith('node:') ? name.slice(5) : name);

  const absent = ['child_process', 'cluster', 'dgram', 'dns', 'http', 'http2', 'https', 'inspector', 'net', 'tls', 'v8', 'vm', 'worker_threads', 'zlib', 'stream', 'stream/promises', 'async_hooks', 'diagnostics_channel', 'module', 'sqlite', 'test'];
  const notFound = (name, base, isRequire) => {
    const plain = name.startsWith('node:') ? name.slice(5) : name;
    let why;
    if (/^(\.{0,2}\/|file:)/.test(name)) why = `no such file, imported from ${base}`;
    else if (name.startsWith('node:') || absent.includes(plain)) why = 'this built-in module is not in the sandbox';
    else why = 'it is neither built in nor a file of the program nor among the packages that this run asked for';
    const error = codedError(Error, isRequire ? 'MODULE_NOT_FOUND' : 'ERR_MODULE_NOT_FOUND', `cannot find module '${name}'; ${why}`);
    return error;
  };

  const kindOf = (file) => {
    const stat = native.stat(file, true);
    return typeof stat === 'number' ? undefined : stat[0];
  };
  const FILE = 6, DIRECTORY = 3;
  const extensions = ['', '.js', '.mjs', '.cjs', '.json', '.ts', '.mts'];
  const findFile = (file) => {
    for (const extension of extensions) if (kindOf(file + extension) === FILE) return file + extension;
    // TypeScript names its imports by what they will be called after compilation.
    if (/\.[mc]?js$/.test(file) && kindOf(file.replace(/js$/, 'ts')) === FILE) return file.replace(/js$/, 'ts');
    if (kindOf(file) === DIRECTORY) for (const extension of extensions.slice(1)) if (kindOf(`${file}/index${extension}`) === FILE) return `${file}/index${extension}`;
    return undefined;
  };
  const manifestOf = (folder) => {
    const text = native.readFile(`${folder}/package.json`);
    if (typeof text === 'number') return undefined;
    // A manifest that cannot be read says nothing.
    try { return JSON.parse(native.decodeUtf8(text, false)); } catch { return {}; }
  };
  // What a manifest's `exports` or `imports` says of a path: the file of the first condition that holds, `null` where it forbids the path.
  const targetOf = (entry, isRequire) => {
    if (typeof entry === 'string' || entry === null || entry === undefined) return entry;
    if (Array.isArray(entry)) {
      for (const one of entry) {
        const target = targetOf(one, isRequire);
        if (target !== undefined) return target;
      }
      return undefined;
    }
    for (const [condition, value] of Object.entries(entry)) {
      if (condition !== 'node' && condition !== 'default' && condition !== (isRequire ? 'require' : 'import')) continue;
      const target = targetOf(value, isRequire);
      if (target !== undefined) return target;
    }
    return undefined;
  };
  const mapped = (map, key, isRequire) => {
    if (Object.hasOwn(map, key) && !key.includes('*')) return targetOf(map[key], isRequire);
    let best;
    for (const pattern of Object.keys(map)) {
      const star = pattern.indexOf('*');
      if (star < 0 || !key.startsWith(pattern.slice(0, star)) || !key.endsWith(pattern.slice(star + 1)) || key.length < pattern.length - 1) continue;
      if (best === undefined || star > best.star) best = { pattern, star };
    }
    if (best === undefined) return undefined;
    const rest = key.slice(best.star, key.length - (best.pattern.length - best.star - 1));
    return targetOf(map[best.pattern], isRequire)?.replaceAll('*', rest);
  };
  const packageFile = (folder, rest, isRequire) => {
    const manifest = manifestOf(folder);
    let exports = manifest?.exports;
    if (exports !== undefined && exports !== null) {
      const isMap = typeof exports === 'object' && !Array.isArray(exports) && Object.keys(exports).some((key) => key.startsWith('.'));
      if (!isMap) exports = { '.': exports };
      const target = mapped(exports, rest === '' ? '.' : `./${rest}`, isRequire);
      return typeof target === 'string' ? findFile(path.resolve(folder, target)) : undefined;
    }
    if (rest !== '') return findFile(`${folder}/${rest}`);
    const main = (isRequire ? undefined : manifest?.module) ?? manifest?.main;
    return (typeof main === 'string' ? findFile(path.resolve(folder, main)) : undefined) ?? findFile(folder);
  };
  const findPackage = (name, from, isRequire) => {
    const [, folder, rest = ''] = /^((?:@[^/]+\/)?[^/]+)\/?(.*)$/.exec(name) ?? [];
    if (folder === undefined) return undefined;
    for (let directory = from; ; directory = path.dirname(directory)) {
      const place = path.resolve(directory, 'node_modules', folder);
      if (kindOf(place) === DIRECTORY) return packageFile(place, rest, isRequire);
      if (directory === '/') return undefined;
    }
  };
  // `#name`: what the package that asks calls its own parts.
  const findOwn = (name, from, isRequire) => {
    for (let directory = from; ; directory = path.dirname(directory)) {
      const imports = manifestOf(directory)?.imports;
      if (imports !== undefined) {
        const target = mapped(imports, name, isRequire);
        if (typeof target !== 'string') return undefined;
        if (isBuiltin(target)) return target.startsWith('node:') ? target : `node:${target}`;
        return target.startsWith('./') ? findFile(path.resolve(directory, target)) : findPackage(target, directory, isRequire);
      }
      if (directory === '/') return undefined;
    }
  };
  const locate = (base, name, isRequire) => {
    const from = path.dirname(path.resolve(base));
    if (name.startsWith('file:')) return findFile(internal.fileURLToPath(name));
    if (/^\.{0,2}\//.test(name) || name === '.' || name === '..') return findFile(path.resolve(from, name));
    if (name.startsWith('#')) return findOwn(name, from, isRequire);
    // `npm:name@1.2/part` asks for a version as well, which was seen to before the program began.
    const [, plain, part = ''] = /^npm:\/?((?:@[^/@]+\/)?[^/@]+)(?:@[^/]*)?(\/.*)?$/.exec(name) ?? [];
    return findPackage(plain === undefined ? name : plain + part, from, isRequire);
  };

  internal.resolve = (base, name) => {
    if (isBuiltin(name)) return name.startsWith('node:') ? name : `node:${name}`;
    if (/^(https?|data|blob):/.test(name)) throw codedError(Error, 'ERR_UNSUPPORTED_ESM_URL_SCHEME', `cannot find module '${name}'; modules are loaded from files only`);
    const file = locate(base, name, false);
    if (file === undefined) throw notFound(name, base, false);
    return file;
  };

  const textOf = (file) => {
    const bytes = native.readFile(file);
    if (typeof bytes === 'number') throw internal.fileError(bytes, 'open', file);
    return native.decodeUtf8(bytes, false).replace(/^\ufeff/, '').replace(/^#!.*/, '');
  };
  const parseJson = (file) => {
    try { return JSON.parse(textOf(file)); } catch (error) {
      if (error instanceof SyntaxError) error.message = `${file}: ${error.message}`;
      throw error;
    }
  };
  const isTypeScript = (file) => /\.[mc]?ts$/.test(file);
  const hasModuleSyntax = (text) => /^\s*(import\s*[{*'"]|import\s+[\w$]|export\s*[{*]|export\s+\w)/m.test(text) || /\bimport\.meta\b/.test(text);
  const hasCommonSyntax = (text) => /\b(module\.exports|exports\.\w|exports\[|require\s*\()/.test(text);
  const isCommonJs = (file, text) => file.endsWith('.cjs') || (!/\.m[jt]s$/.test(file) && !hasModuleSyntax(text) && hasCommonSyntax(text));

  // The exports of a value as an ES module shows them: itself as the default, and its members by name.
  const namespaceOf = (value) => {
    const names = Object.create(null);
    if ((typeof value === 'object' && value !== null) || typeof value === 'function') {
      for (const key of Object.keys(value)) if (key !== 'default') names[key] = value[key];
    }
    names.default = value;
    return names;
  };

  // Text to compile, or an object whose properties are the exports.
  internal.load = (file, attributes) => {
    if (file.startsWith('node:')) return namespaceOf(builtinOf(file));
    const type = attributes?.type;
    if (type !== undefined && type !== 'json' && type !== 'text') throw codedError(TypeError, 'ERR_IMPORT_ATTRIBUTE_UNSUPPORTED', `import attribute "type" with value "${type}" is not supported`);
    if (type === 'json' || (type === undefined && file.endsWith('.json'))) return { default: parseJson(file) };
    const text = textOf(file);
    if (type === 'text') return { default: text };
    const code = isTypeScript(file) ? internal.transform(text, file) : text;
    return isCommonJs(file, code) ? namespaceOf(requireFile(file, undefined, code)) : code;
  };

  const cache = Object.create(null);
  class Module {
    constructor(id, parent) {
      Object.assign(this, { id, path: path.dirname(id), exports: {}, filename: id, loaded: false, children: [], paths: [] });
      Object.defineProperty(this, 'parent', { value: parent, writable: true, enumerable: false });
    }
    require(name) { return requireFrom(this, name); }
  }
  const requireFile = (file, parent, code) => {
    if (cache[file]) return cache[file].exports;
    const module = new Module(file, parent);
    cache[file] = module;
    parent?.children.push(module);
    try {
      if (file.endsWith('.json')) module.exports = parseJson(file);
      else {
        const text = code ?? (isTypeScript(file) ? internal.transform(textOf(file), file) : textOf(file));
        if (!isCommonJs(file, text) && hasModuleSyntax(text)) throw codedError(Error, 'ERR_REQUIRE_ESM', `require() of ES Module ${file} not supported; use import instead`);
        const run = native.compile(`(function (exports, require, module, __filename, __dirname) { ${text}\n})`, file);
        run.call(module.exports, module.exports, requireOf(module), module, file, path.dirname(file));
      }
    } catch (error) {
      delete cache[file];
      throw error;
    }
    module.loaded = true;
    return module.exports;
  };
  const requireFrom = (module, name) => {
    if (typeof name !== 'string') throw codedError(TypeError, 'ERR_INVALID_ARG_TYPE', `The "id" argument must be of type string. Received ${internal.received(name)}`);
    if (isBuiltin(name)) return builtinOf(name);
    const file = locate(module.filename, name, true);
    if (file === undefined) throw notFound(name, module.filename, true);
    if (file.startsWith('node:')) return builtinOf(file);
    return requireFile(file, module);
  };
  const requireOf = (module) => {
    const require = (name) => requireFrom(module, name);
    const resolve = (name) => {
      if (isBuiltin(name)) return name;
      const file = locate(module.filename, name, true);
      if (file === undefined) throw notFound(name, module.filename, true);
      return file;
    };
    return Object.assign(require, { resolve, cache, main: mainModule, extensions: {} });
  };

  const mainModule = new Module('/work/main.js', null);
  mainModule.id = '.';
  // For an inspection before a program runs: what it imports, by the engine's own parser.
  internal.builtins['glovebox:syntax'] = () => ({
    imports: (text, file) => native.imports(isTypeScript(file) ? internal.transform(`${text}`, file) : `${text}`, `${file}`),
    isAbsent: (name) => absent.includes(name.startsWith('node:') ? name.slice(5) : name),
  });
  internal.builtins['tty'] = () => ({ isatty: () => false });
  internal.builtins['module'] = () => ({
    createRequire: (from) => requireOf(new Module(`${from}`.startsWith('file:') ? internal.fileURLToPath(`${from}`) : `${from}`, null)),
    builtinModules: Object.keys(internal.builtins).filter((name) => !name.includes(':')), isBuiltin,
  });
  define('require', requireOf(mainModule));
  // A script of Node has these as well; they are looked up late, so that a program may use the names for its own.
  define('module', mainModule);
  internal.defineLazy('exports', () => mainModule.exports);
  internal.defineLazy('__filename', () => path.resolve(native.sourceName()));
  internal.defineLazy('__dirname', () => path.dirname(path.resolve(native.sourceName())));

  const typescript = globalThis.__sucrase;
  delete globalThis.__sucrase;
  internal.transform = (text, file) => {
    if (typescript === undefined) throw new SyntaxError(`${file}: this guest does not speak TypeScript`);
    try {
      return typescript.transform(text, { transforms: ['typescript'], disableESTransforms: true, keepUnusedImports: false, filePath: file }).code;
    } catch (error) {
      const at = /\((\d+):(\d+)\)\s*$/.exec(`${error.message}`);
      const failure = new SyntaxError(`${error.message}`.replace(/^Error transforming [^:]*: /, '').replace(/\s*\(\d+:\d+\)\s*$/, ''));
      failure.stack = `SyntaxError: ${failure.message}\n    at ${file}${at ? `:${at[1]}:${at[2]}` : ''}`;
      throw failure;
    }
  };
}
