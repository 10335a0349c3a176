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

  const absent = ['child_process', 'cluster', 'dgram', 'dns', 'dns/promises', 'domain', 'http2', 'inspector', 'net', 'repl', 'tls', 'trace_events', 'v8', 'vm', 'wasi', 'sqlite', 'test'];
  const webStreams = [
    'ByteLengthQueuingStrategy', 'CountQueuingStrategy', 'ReadableByteStreamController', 'ReadableStream', 'ReadableStreamBYOBReader', 'ReadableStreamBYOBRequest',
    'ReadableStreamDefaultController', 'ReadableStreamDefaultReader', 'TransformStream', 'TransformStreamDefaultController', 'WritableStream',
    'WritableStreamDefaultController', 'WritableStreamDefaultWriter', 'TextEncoderStream', 'TextDecoderStream', 'CompressionStream', 'DecompressionStream',
  ];
  // These are here in part: another tier, where there is one, has the whole.
  const partial = ['http', 'https', 'worker_threads'];
  // What does instead of a module that is not there.
  const instead = {
    child_process: 'programs start no others', cluster: 'there is one process',
    http2: '`fetch` makes requests that the policy grants',
    net: '`fetch` makes requests that the policy grants', tls: '`fetch` makes requests that the policy grants', dgram: 'there are no sockets', dns: '`fetch` looks names up itself',
    vm: '`new Function` and indirect `eval` run text', sqlite: 'files hold data, for example as JSON', test: '`assert` checks expectations',
  };
  const notFound = (name, base, isRequire) => {
    const plain = name.startsWith('node:') ? name.slice(5) : name;
    let why;
    if (/^(\.{0,2}\/|file:)/.test(name)) why = `no such file, imported from ${base}`;
    else if (name.startsWith('node:') || absent.includes(plain)) why = `this built-in module is not in the sandbox${instead[plain] ? ` (${instead[plain]})` : ''}`;
    else why = 'it is neither built in nor a file of the program nor among the packages that this run asked for';
    const error = codedError(Error, isRequire ? 'MODULE_NOT_FOUND' : 'ERR_MODULE_NOT_FOUND', `cannot find module '${name}'; ${why}`);
    return error;
  };

  // A package may import what it needs for one of its functions only, so it gets a module that links.
  const standIn = (name, base) => {
    const plain = name.startsWith('node:') ? name.slice(5) : name;
    // These are names of packages too.
    if ((plain === 'sqlite' || plain === 'test') && plain === name) return undefined;
    return absent.includes(plain) && base.includes('/node_modules/') ? `absent:${plain}` : undefined;
  };
  for (const name of absent) internal.builtins[`absent:${name}`] = () => internal.lazy('absent').modules[name]();
  internal.builtins['worker_threads'] = () => internal.lazy('absent').modules.worker_threads();
  internal.builtins['async_hooks'] = () => internal.lazy('async_hooks');
  for (const name of ['http', 'https']) internal.builtins[name] = () => internal.lazy('http')[name]();
  internal.builtins['diagnostics_channel'] = () => internal.lazy('absent').diagnostics();

  const kindOf = (file) => {
    const stat = native.stat(file, true);
    return typeof stat === 'number' ? undefined : stat[0];
  };
  const FILE = 6, DIRECTORY = 3;
  const extensions = ['', '.js', '.mjs', '.cjs', '.json', '.ts', '.mts', '.tsx', '.jsx'];
  const findFile = (file) => {
    for (const extension of extensions) if (kindOf(file + extension) === FILE) return file + extension;
    // TypeScript names its imports by what they will be called after compilation.
    if (/\.[mc]?js$/.test(file)) for (const extension of ['ts', 'tsx']) if (kindOf(file.replace(/js$/, extension)) === FILE) return file.replace(/js$/, extension);
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
    if (file !== undefined) return file;
    const other = standIn(name, base);
    if (other !== undefined) return `node:${other}`;
    throw notFound(name, base, false);
  };

  // `import.meta.resolve`: the URL of a file need not exist.
  internal.metaResolve = (base, name) => {
    if (!isBuiltin(`${name}`) && /^(\.{0,2}\/|\w[\w+.-]*:)/.test(name)) return new URL(name, internal.urlParts.pathToFileURL(base)).href;
    const found = internal.resolve(base, `${name}`);
    return found.startsWith('/') ? internal.urlParts.pathToFileURL(found).href : found;
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
  const isTypeScript = (file) => /\.(?:[mc]?ts|tsx|jsx)$/.test(file);
  const hasModuleSyntax = (text) => /^\s*(import\s*[{*'"]|import\s+[\w$]|export\s*[{*]|export\s+\w)/m.test(text) || /\bimport\.meta\b/.test(text);
  const hasCommonSyntax = (text) => /\b(module\.exports|exports\.\w|exports\[|require\s*\()/.test(text);
  // The `type` that the nearest manifest gives to files ending in `.js`.
  const typeOf = (file) => {
    for (let directory = path.dirname(file); ; directory = path.dirname(directory)) {
      const manifest = manifestOf(directory);
      if (manifest !== undefined) return manifest.type;
      if (directory === '/' || directory.endsWith('/node_modules')) return undefined;
    }
  };
  const wrapped = (text) => `(function (exports, require, module, __filename, __dirname) {\n${text}\n})`;
  const isScript = (file, text) => {
    try { return native.compile(wrapped(text), file, 0) !== undefined; } catch { return false; }
  };
  const isCommonJs = (file, text) => {
    if (file.endsWith('.cjs')) return true;
    if (/\.m[jt]s$/.test(file) || !hasCommonSyntax(text)) return false;
    if (!hasModuleSyntax(text)) return true;
    // Words of both are in it, and those of one in texts or comments.
    const type = typeOf(file);
    return type === 'commonjs' || (type !== 'module' && isScript(file, text));
  };

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
        // The head is line 0, so that the file's lines keep their numbers.
        const run = native.compile(wrapped(text), file, 0);
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
    if (file === undefined) {
      const other = standIn(name, module.filename);
      if (other !== undefined) return builtinOf(other);
      throw notFound(name, module.filename, true);
    }
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
  // The program's name comes with each evaluation.
  const mainFile = () => path.resolve(native.sourceName());
  for (const [name, get] of [['filename', mainFile], ['path', () => path.dirname(mainFile())]]) Object.defineProperty(mainModule, name, { get, enumerable: true, configurable: true });
  // For an inspection before a program runs: what it imports, by the engine's own parser.
  internal.builtins['glovebox:syntax'] = () => ({
    imports: (text, file) => native.imports(isTypeScript(file) ? internal.transform(`${text}`, file) : `${text}`, `${file}`),
    isAbsent: (name) => [absent, partial].some((names) => names.includes(name.startsWith('node:') ? name.slice(5) : name)),
  });
  internal.builtins['tty'] = () => ({ isatty: () => false });
  internal.builtins['console'] = () => console;
  internal.builtins['constants'] = () => ({ ...internal.fsConstants, ...internal.signals });
  internal.builtins['stream/web'] = () => ({ ...internal.lazy('web_streams').classes });
  for (const name of webStreams) internal.defineLazy(name, () => internal.lazy('web_streams').classes[name]);
  internal.defineLazy('WebSocket', () => class WebSocket extends EventTarget {
    constructor() { super(); throw new DOMException('WebSocket is not in the sandbox; `fetch` makes requests that the policy grants.', 'NotSupportedError'); }
  });
  internal.builtins['stream/consumers'] = () => {
    const bytes = async (stream) => {
      const parts = [];
      for await (const chunk of stream) parts.push(typeof chunk === 'string' ? Buffer.from(chunk) : chunk);
      return Buffer.concat(parts);
    };
    const text = async (stream) => native.decodeUtf8(new Uint8Array(await bytes(stream)), false);
    return { buffer: bytes, text, json: async (stream) => JSON.parse(await text(stream)), arrayBuffer: async (stream) => new Uint8Array(await bytes(stream)).buffer, blob: async (stream) => new Blob([await bytes(stream)]) };
  };
  internal.builtins['module'] = () => ({
    createRequire: (from) => requireOf(new Module(`${from}`.startsWith('file:') ? internal.fileURLToPath(`${from}`) : `${from}`, null)),
    builtinModules: Object.keys(internal.builtins).filter((name) => !name.includes(':')), isBuiltin,
  });
  define('require', requireOf(mainModule));
  Object.assign(process, { mainModule, argv0: 'javascript', getBuiltinModule: (name) => (isBuiltin(`${name}`) ? builtinOf(`${name}`) : undefined) });
  // A script of Node has these as well; they are looked up late, so that a program may use the names for its own.
  define('module', mainModule);
  internal.defineLazy('exports', () => mainModule.exports);
  internal.defineLazy('__filename', mainFile);
  internal.defineLazy('__dirname', () => path.dirname(mainFile()));

  // What most programs ask for is ready in the image, which costs one that asks for nothing no page. What the modules look at meanwhile and
  // is made when it is first looked at, such as the environment, is the program's: it is made again.
  const lazyOnes = [process, globalThis].flatMap((holder) => Object.entries(Object.getOwnPropertyDescriptors(holder)).filter(([, { get }]) => get).map((entry) => [holder, ...entry]));
  for (const name of ['path', 'util', 'events', 'buffer', 'fs', 'url', 'assert', 'stream', 'os']) internal.builtin(name);
  internal.prepareStdio();
  for (const [holder, name, descriptor] of lazyOnes) Object.defineProperty(holder, name, descriptor);
}
