//! `node:fs`: how does a program reach its files? (whole calls; the streams are in `lazy/file_streams.js`)
(native, internal) => {
  const { codedError, path, EventEmitter } = internal;
  const { Buffer } = globalThis;
  // `error-code` of WASI: name, message, number as in Node.
  const codes = [
    ['EACCES', 'permission denied', -13], ['EAGAIN', 'resource temporarily unavailable', -11], ['EALREADY', 'connection already in progress', -114],
    ['EBADF', 'bad file descriptor', -9], ['EBUSY', 'resource busy or locked', -16], ['EDEADLK', 'resource deadlock avoided', -35],
    ['EDQUOT', 'disk quota exceeded', -122], ['EEXIST', 'file already exists', -17], ['EFBIG', 'file too large', -27],
    ['EILSEQ', 'illegal byte sequence', -84], ['EINPROGRESS', 'operation in progress', -115], ['EINTR', 'interrupted system call', -4],
    ['EINVAL', 'invalid argument', -22], ['EIO', 'i/o error', -5], ['EISDIR', 'illegal operation on a directory', -21],
    ['ELOOP', 'too many symbolic links encountered', -40], ['EMLINK', 'too many links', -31], ['EMSGSIZE', 'message too long', -90],
    ['ENAMETOOLONG', 'name too long', -36], ['ENODEV', 'no such device', -19], ['ENOENT', 'no such file or directory', -2],
    ['ENOLCK', 'no locks available', -37], ['ENOMEM', 'not enough memory', -12], ['ENOSPC', 'no space left on device', -28],
    ['ENOTDIR', 'not a directory', -20], ['ENOTEMPTY', 'directory not empty', -39], ['ENOTRECOVERABLE', 'state not recoverable', -131],
    ['ENOTSUP', 'operation not supported on socket', -95], ['ENOTTY', 'inappropriate ioctl for device', -25], ['ENXIO', 'no such device or address', -6],
    ['EOVERFLOW', 'value too large for defined data type', -75], ['EPERM', 'operation not permitted', -1], ['EPIPE', 'broken pipe', -32],
    ['EROFS', 'read-only file system', -30], ['ESPIPE', 'invalid seek', -29], ['ETXTBSY', 'text file is busy', -26], ['EXDEV', 'cross-device link not permitted', -18],
  ];
  const fileError = (failure, call, name, other) => {
    const [code, text, errno] = codes[-1 - failure] ?? codes[13];
    const error = new Error(`${code}: ${text}, ${call}${name === undefined ? '' : ` '${name}'`}${other === undefined ? '' : ` -> '${other}'`}`);
    Object.assign(error, { errno, code, syscall: call });
    if (name !== undefined) error.path = `${name}`;
    if (other !== undefined) error.dest = `${other}`;
    return error;
  };
  internal.fileError = fileError;
  const check = (result, call, name, other) => {
    if (typeof result === 'number' && result < 0) throw fileError(result, call, name, other);
    return result;
  };

  const pathOf = (value, argument = 'path') => {
    if (value instanceof URL) value = internal.fileURLToPath(value);
    if (ArrayBuffer.isView(value)) value = internal.decodeText(value);
    if (typeof value !== 'string') throw codedError(TypeError, 'ERR_INVALID_ARG_TYPE', `The "${argument}" argument must be of type string or an instance of Buffer or URL. Received ${internal.received(value)}`);
    if (value.includes('\0')) throw codedError(TypeError, 'ERR_INVALID_ARG_VALUE', `The argument '${argument}' must be a string, Uint8Array, or URL without null bytes. Received ${internal.inspect(value)}`);
    if (value === '') return '/';
    return path.resolve(value) + (value.endsWith('/') && value.length > 1 ? '/' : '');
  };
  const STDIN_PATHS = ['/dev/stdin', '/dev/fd/0', '/proc/self/fd/0'];
  const STANDARD_PATHS = { '/dev/stdout': 1, '/dev/stderr': 2 };

  const CREATE = 1, DIRECTORY = 2, EXCLUSIVE = 4, TRUNCATE = 8, READ = 1, WRITE = 2;
  const modes = {
    r: [0, READ], 'r+': [0, READ | WRITE], rs: [0, READ], 'rs+': [0, READ | WRITE],
    w: [CREATE | TRUNCATE, WRITE], 'w+': [CREATE | TRUNCATE, READ | WRITE], wx: [CREATE | EXCLUSIVE, WRITE], 'wx+': [CREATE | EXCLUSIVE, READ | WRITE],
    a: [CREATE, WRITE, true], 'a+': [CREATE, READ | WRITE, true], ax: [CREATE | EXCLUSIVE, WRITE, true], 'ax+': [CREATE | EXCLUSIVE, READ | WRITE, true],
  };
  const constants = { F_OK: 0, X_OK: 1, W_OK: 2, R_OK: 4, O_RDONLY: 0, O_WRONLY: 1, O_RDWR: 2, O_CREAT: 64, O_EXCL: 128, O_TRUNC: 512, O_APPEND: 1024, COPYFILE_EXCL: 1, S_IFMT: 61440, S_IFREG: 32768, S_IFDIR: 16384, S_IFLNK: 40960 };
  const modeOf = (flags = 'r') => {
    if (typeof flags === 'number') {
      const open = (flags & constants.O_CREAT ? CREATE : 0) | (flags & constants.O_EXCL ? EXCLUSIVE : 0) | (flags & constants.O_TRUNC ? TRUNCATE : 0);
      return [open, [READ, WRITE, READ | WRITE][flags & 3] ?? READ, Boolean(flags & constants.O_APPEND)];
    }
    const mode = modes[flags];
    if (!mode) throw codedError(TypeError, 'ERR_INVALID_ARG_VALUE', `The argument 'flags' is invalid. Received ${internal.inspect(flags)}`);
    return mode;
  };

  // The program's own text, which is no file of the workspace: readable under the name that `__filename` gives.
  const NOT_FOUND = -21;
  const IS_FOLDER = -1 - codes.findIndex(([code]) => code === 'EISDIR');
  const ownText = (full, failure) => (failure === NOT_FOUND && full === path.resolve(native.sourceName()) ? native.encodeUtf8(native.sourceText()) : undefined);
  const ownStat = (text) => [6, 1, text.length, 0, 0, 0];

  // Descriptor numbers of the program -> the host's handle and where the next read or write happens.
  const files = new Map();
  let nextFile = 3;
  const fileOf = (fd, call) => {
    const file = files.get(fd);
    if (!file) throw fileError(-4, call);
    return file;
  };
  const openSync = (name, flags, mode) => {
    const [open, access, appends = false] = modeOf(flags);
    const full = pathOf(name), handle = native.open(full, open, access), text = access === READ ? ownText(full, handle) : undefined;
    if (text === undefined) check(handle, 'open', name);
    files.set(nextFile, { handle, text, position: 0, appends });
    return nextFile++;
  };
  const closeSync = (fd) => {
    if (fd >= 0 && fd <= 2) return;
    const { handle, text } = fileOf(fd, 'close');
    if (text === undefined) native.close(handle);
    files.delete(fd);
  };
  const sizeOf = (file) => check(native.statHandle(file.handle), 'fstat')[2];
  const readPart = (file, length, at) => (file.text === undefined ? check(native.read(file.handle, length, at), 'read') : file.text.subarray(at, at + length));
  const writeBytes = (fd, bytes, position) => {
    if (fd === 1 || fd === 2) { native.write(fd, bytes); return bytes.length; }
    const file = fileOf(fd, 'write');
    let at = typeof position === 'number' ? position : file.appends ? sizeOf(file) : file.position;
    let left = bytes;
    while (left.length > 0) {
      const taken = check(native.writeFile(file.handle, left, at), 'write');
      if (taken === 0) throw fileError(-14, 'write');
      left = left.subarray(taken);
      at += taken;
    }
    if (typeof position !== 'number') file.position = at;
    return bytes.length;
  };
  const plain = (view) => new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
  const bytesFrom = (data, encoding) => {
    if (typeof data === 'string') return encoding === undefined || encoding === null ? native.encodeUtf8(data) : plain(internal.encodeText(data, encoding));
    if (ArrayBuffer.isView(data)) return plain(data);
    throw codedError(TypeError, 'ERR_INVALID_ARG_TYPE', `The "data" argument must be of type string or an instance of Buffer, TypedArray, or DataView. Received ${internal.received(data)}`);
  };
  const optionsOf = (options) => (typeof options === 'string' ? { encoding: options } : options ?? {});
  const shaped = (bytes, encoding) => (encoding === undefined || encoding === null || encoding === 'buffer' ? internal.toBuffer(bytes) : internal.decodeText(bytes, encoding));

  const readDescriptor = (fd) => {
    if (fd === 0) return internal.readAllInput();
    const file = fileOf(fd, 'read'), parts = [];
    for (;;) {
      const part = readPart(file, 1 << 20, file.position);
      if (part.length === 0) return Buffer.concat(parts);
      file.position += part.length;
      parts.push(part);
    }
  };

  class Stats {
    constructor([type, links, size, accessed, modified, changed]) {
      const kind = { 3: constants.S_IFDIR, 5: constants.S_IFLNK, 6: constants.S_IFREG }[type] ?? 0;
      Object.assign(this, {
        dev: 0, mode: kind | (type === 3 ? 0o755 : 0o644), nlink: links, uid: 0, gid: 0, rdev: 0, blksize: 4096, ino: 0, size, blocks: Math.ceil(size / 512),
        atimeMs: accessed, mtimeMs: modified, ctimeMs: changed, birthtimeMs: changed,
        atime: new Date(accessed), mtime: new Date(modified), ctime: new Date(changed), birthtime: new Date(changed),
      });
    }
    #is(kind) { return (this.mode & constants.S_IFMT) === kind; }
    isDirectory() { return this.#is(constants.S_IFDIR); }
    isFile() { return this.#is(constants.S_IFREG); }
    isSymbolicLink() { return this.#is(constants.S_IFLNK); }
    isBlockDevice() { return false; }
    isCharacterDevice() { return false; }
    isFIFO() { return false; }
    isSocket() { return false; }
  }
  class Dirent {
    #type;
    constructor(name, parent, type) { this.name = name; this.parentPath = parent; this.path = parent; this.#type = type; }
    isDirectory() { return this.#type === 3; }
    isFile() { return this.#type === 6; }
    isSymbolicLink() { return this.#type === 5; }
  }

  const statWith = (follow, call) => (name, options) => {
    const full = pathOf(name), result = native.stat(full, follow), text = ownText(full, result);
    if (text !== undefined) return new Stats(ownStat(text));
    if (result === NOT_FOUND && options?.throwIfNoEntry === false) return undefined;
    return new Stats(check(result, call, name));
  };
  const listOf = (name) => {
    const flat = check(native.list(pathOf(name)), 'scandir', name), entries = [];
    for (let i = 0; i < flat.length; i += 2) entries.push([flat[i], flat[i + 1]]);
    return entries.sort(([a], [b]) => (a < b ? -1 : 1));
  };
  const walk = (name, prefix, visit) => {
    for (const [entry, type] of listOf(name)) {
      visit(prefix + entry, name, entry, type);
      if (type === 3) walk(`${name}/${entry}`, `${prefix}${entry}/`, visit);
    }
  };
  const removeTree = (name) => {
    const stat = sync.lstatSync(name);
    if (!stat.isDirectory()) return sync.unlinkSync(name);
    for (const [entry] of listOf(name)) removeTree(`${name}/${entry}`);
    return sync.rmdirSync(name);
  };
  const copyTree = (from, to, options) => {
    if (!sync.statSync(from).isDirectory()) return sync.copyFileSync(from, to);
    if (!options?.recursive) throw codedError(Error, 'ERR_FS_EISDIR', `Recursive option not enabled, cannot copy a directory: ${from}`);
    sync.mkdirSync(to, { recursive: true });
    for (const [entry] of listOf(from)) copyTree(`${from}/${entry}`, `${to}/${entry}`, options);
  };

  const sync = {
    openSync, closeSync,
    readFileSync(name, options) {
      const { encoding, flag } = optionsOf(options);
      if (Number.isInteger(name)) return shaped(readDescriptor(name), encoding);
      if (STDIN_PATHS.includes(name)) return shaped(internal.readAllInput(), encoding);
      if (flag !== undefined && flag !== 'r') {
        const fd = openSync(name, flag);
        try { return shaped(readDescriptor(fd), encoding); } finally { closeSync(fd); }
      }
      const full = pathOf(name), bytes = native.readFile(full);
      // A folder can be opened; it is the reading that fails.
      if (bytes === IS_FOLDER) throw fileError(bytes, 'read');
      return shaped(ownText(full, bytes) ?? check(bytes, 'open', name), encoding);
    },
    writeFileSync(name, data, options) {
      const { encoding, flag = 'w' } = optionsOf(options);
      const bytes = bytesFrom(data, encoding);
      if (typeof name === 'number' || name in STANDARD_PATHS) { writeBytes(STANDARD_PATHS[name] ?? name, bytes); return; }
      const fd = openSync(name, flag);
      try { writeBytes(fd, bytes); } finally { closeSync(fd); }
    },
    appendFileSync(name, data, options) { sync.writeFileSync(name, data, { flag: 'a', ...optionsOf(options) }); },
    existsSync(name) {
      try { const full = pathOf(name), stat = native.stat(full, true); return typeof stat !== 'number' || ownText(full, stat) !== undefined; } catch { return false; }
    },
    accessSync(name) { const full = pathOf(name), stat = native.stat(full, true); if (ownText(full, stat) === undefined) check(stat, 'access', name); },
    statSync: statWith(true, 'stat'), lstatSync: statWith(false, 'lstat'),
    fstatSync: (fd) => new Stats(fd <= 2 ? [2, 1, 0, 0, 0, 0] : fileOf(fd, 'fstat').text === undefined ? check(native.statHandle(fileOf(fd, 'fstat').handle), 'fstat') : ownStat(fileOf(fd, 'fstat').text)),
    mkdirSync(name, options) {
      const full = pathOf(name).replace(/(?<=.)\/$/, '');
      if (!(typeof options === 'object' && options?.recursive)) { check(native.makeDirectory(full), 'mkdir', name); return undefined; }
      let first;
      const parts = full.split('/').slice(1);
      for (let i = 1; i <= parts.length; i++) {
        const part = `/${parts.slice(0, i).join('/')}`;
        const stat = native.stat(part, true);
        if (typeof stat !== 'number') {
          if (stat[0] !== 3) throw fileError(i === parts.length ? -8 : -25, 'mkdir', name);
          continue;
        }
        const made = native.makeDirectory(part);
        if (made === 0) first ??= part;
        // What lies above the directories that the program was given cannot be made and need not be.
        else if (i === parts.length) check(made, 'mkdir', name);
      }
      return first;
    },
    rmdirSync(name, options) {
      if (options?.recursive) removeTree(pathOf(name));
      else check(native.removeDirectory(pathOf(name)), 'rmdir', name);
    },
    unlinkSync(name) { check(native.removeFile(pathOf(name)), 'unlink', name); },
    rmSync(name, options = {}) {
      const stat = native.stat(pathOf(name), false);
      if (typeof stat === 'number') {
        if (options.force) return;
        throw fileError(stat, 'lstat', name);
      }
      if (stat[0] === 3 && !options.recursive) throw codedError(Error, 'ERR_FS_EISDIR', `Path is a directory: rm returned EISDIR (is a directory) ${name}`);
      removeTree(pathOf(name));
    },
    renameSync(from, to) { check(native.rename(pathOf(from), pathOf(to)), 'rename', from, to); },
    copyFileSync(from, to, mode = 0) {
      const bytes = check(native.readFile(pathOf(from)), 'copyfile', from, to);
      sync.writeFileSync(to, bytes, { flag: mode & constants.COPYFILE_EXCL ? 'wx' : 'w' });
    },
    cpSync: copyTree,
    readdirSync(name, options) {
      const { withFileTypes, recursive } = optionsOf(options);
      if (recursive) {
        const all = [];
        walk(pathOf(name), '', (relative, parent, entry, type) => all.push(withFileTypes ? new Dirent(entry, parent, type) : relative));
        return all;
      }
      return listOf(name).map(([entry, type]) => (withFileTypes ? new Dirent(entry, `${name}`, type) : entry));
    },
    symlinkSync(target, name) { check(native.makeLink(`${target}`, pathOf(name)), 'symlink', target, name); },
    readlinkSync: (name) => check(native.readLink(pathOf(name)), 'readlink', name),
    realpathSync(name) {
      let full = pathOf(name);
      check(native.stat(full, true), 'lstat', name);
      for (let i = 0; i < 40; i++) {
        const target = native.readLink(full);
        if (typeof target === 'number') break;
        full = path.resolve(path.dirname(full), target);
      }
      return full;
    },
    truncateSync(name, size = 0) {
      const fd = openSync(name, 'r+');
      try { sync.ftruncateSync(fd, size); } finally { closeSync(fd); }
    },
    ftruncateSync(fd, size = 0) { check(native.setSize(fileOf(fd, 'ftruncate').handle, size), 'ftruncate'); },
    mkdtempSync(prefix) {
      const letters = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789';
      const name = prefix + Array.from(native.randomBytes(6), (byte) => letters[byte % letters.length]).join('');
      sync.mkdirSync(name);
      return name;
    },
    readSync(fd, buffer, offset = 0, length, position) {
      if (typeof offset === 'object' && offset !== null) ({ offset = 0, length, position } = offset);
      length ??= buffer.byteLength - offset;
      if (fd === 0) {
        const chunk = internal.readInput(length);
        plain(buffer).set(chunk, offset);
        return chunk.length;
      }
      const file = fileOf(fd, 'read');
      const at = typeof position === 'number' && position >= 0 ? position : file.position;
      const part = readPart(file, length, at).subarray(0, length);
      plain(buffer).set(part, offset);
      if (at === file.position && typeof position !== 'number') file.position += part.length;
      return part.length;
    },
    writeSync(fd, data, offset, length, position) {
      if (typeof data === 'string') return writeBytes(fd, bytesFrom(data, typeof length === 'string' ? length : undefined), offset);
      if (typeof offset === 'object' && offset !== null) ({ offset, length, position } = offset);
      const bytes = plain(data);
      const start = offset ?? 0;
      return writeBytes(fd, bytes.subarray(start, start + (length ?? bytes.length - start)), position);
    },
    readvSync(fd, buffers, position) {
      let total = 0;
      for (const buffer of buffers) {
        const count = sync.readSync(fd, buffer, 0, buffer.byteLength, typeof position === 'number' ? position + total : null);
        total += count;
        if (count < buffer.byteLength) break;
      }
      return total;
    },
    writevSync(fd, buffers, position) {
      let total = 0;
      for (const buffer of buffers) total += sync.writeSync(fd, buffer, 0, buffer.byteLength, typeof position === 'number' ? position + total : null);
      return total;
    },
    fsyncSync() {}, fdatasyncSync() {}, chmodSync() {}, chownSync() {}, utimesSync() {}, lutimesSync() {}, futimesSync() {},
    opendirSync: (name) => {
      const entries = sync.readdirSync(name, { withFileTypes: true });
      return {
        path: name, readSync: () => entries.shift() ?? null, read: async () => entries.shift() ?? null, closeSync() {}, async close() {},
        async *[Symbol.asyncIterator]() { yield* entries; },
      };
    },
  };
  sync.realpathSync.native = sync.realpathSync;

  class FileHandle {
    constructor(fd) { this.fd = fd; }
    async read(buffer, offset, length, position) { buffer ??= Buffer.alloc(16384); return { bytesRead: sync.readSync(this.fd, buffer, offset, length, position), buffer }; }
    async write(data, ...rest) { return { bytesWritten: sync.writeSync(this.fd, data, ...rest), buffer: data }; }
    async readFile(options) { return sync.readFileSync(this.fd, options); }
    async writeFile(data, options) { return sync.writeFileSync(this.fd, data, options); }
    async appendFile(data, options) { return sync.writeFileSync(this.fd, data, options); }
    async stat() { return sync.fstatSync(this.fd); }
    async truncate(size) { return sync.ftruncateSync(this.fd, size); }
    async sync() {}
    async close() { sync.closeSync(this.fd); }
    readLines(options) { return internal.builtin('readline').createInterface({ input: this.createReadStream(options), crlfDelay: Infinity }); }
    createReadStream(options) { return fs.createReadStream(undefined, { ...options, fd: this.fd }); }
    createWriteStream(options) { return fs.createWriteStream(undefined, { ...options, fd: this.fd }); }
    async [Symbol.asyncDispose]() { sync.closeSync(this.fd); }
  }

  const promises = { constants, open: async (name, flags, mode) => new FileHandle(openSync(name, flags, mode)) };
  const fs = { ...sync, constants, promises, Stats, Dirent, F_OK: 0, R_OK: 4, W_OK: 2, X_OK: 1 };
  for (const [name, method] of Object.entries(sync)) {
    const short = name.slice(0, -4);
    if (!(short in promises) && !['close', 'exists'].includes(short)) promises[short] = async (...values) => method(...values);
    fs[short] = (...values) => {
      const callback = values.pop();
      if (typeof callback !== 'function') throw codedError(TypeError, 'ERR_INVALID_ARG_TYPE', `The "cb" argument must be of type function. Received ${internal.received(callback)}`);
      let outcome;
      try { outcome = short === 'exists' ? [method(...values)] : [null, method(...values)]; } catch (error) { outcome = [error]; }
      setImmediate(callback, ...outcome);
    };
  }
  // A class that is there when it is first used; a module's exports are looked at earlier than that.
  const lateClass = (name) => {
    const load = () => internal.lazy('file_streams')[name];
    const late = new Proxy(function () {}, {
      construct: (target, values, Class) => Reflect.construct(load(), values, Class === late ? load() : Class),
      apply: (target, self, values) => new (load())(...values),
      get: (target, key) => Reflect.get(load(), key),
      getPrototypeOf: () => Object.getPrototypeOf(load()),
    });
    return late;
  };
  fs.ReadStream = fs.FileReadStream = lateClass('ReadStream');
  fs.WriteStream = fs.FileWriteStream = lateClass('WriteStream');
  fs.createReadStream = (name, options) => new (internal.lazy('file_streams').ReadStream)(name, options);
  fs.createWriteStream = (name, options) => new (internal.lazy('file_streams').WriteStream)(name, options);
  internal.checkPath = (name) => { pathOf(name); return name; };
  internal.isStdinPath = (name) => STDIN_PATHS.includes(name);
  internal.errorNames = () => new Map(codes.map(([code, text, number]) => [number, [code, text]]));
  fs.watch = fs.watchFile = () => { throw codedError(Error, 'ENOSYS', 'function not implemented, watch'); };
  internal.fs = fs;
  internal.builtins['fs'] = () => fs;
  internal.builtins['fs/promises'] = () => promises;
}
