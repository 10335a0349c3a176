//! The binding `fs` of Node's `lib/fs.js`: how does it reach the files of the sandbox?
//!
//! Each function does its work at once. It gives the result, or throws; with a request as its last argument the outcome comes later, and with
//! `kUsePromises` as a promise.
(native, internal) => {
  const { codedError, fileError, path, fsConstants: constants } = internal;
  const NOT_FOUND = -21, BAD_FILE = -4, EXISTS = -8, INVALID = -13, IO = -14, IS_DIRECTORY = -15, NOT_DIRECTORY = -25, NOT_PERMITTED = -32, NOT_EMPTY = -26;
  const check = (result, call, name, other) => {
    if (typeof result === 'number' && result < 0) throw fileError(result, call, name, other);
    return result;
  };
  const plain = (view) => new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
  const textOf = (name) => (typeof name === 'string' ? name : internal.decodeText(name));
  const fullOf = (name) => {
    const text = textOf(name);
    if (text === '') return '';
    return path.resolve(text) + (text.endsWith('/') && text.length > 1 ? '/' : '');
  };
  const STDIN_PATHS = ['/dev/stdin', '/dev/fd/0', '/proc/self/fd/0'];
  const STANDARD_PATHS = { '/dev/stdin': 0, '/dev/fd/0': 0, '/proc/self/fd/0': 0, '/dev/stdout': 1, '/dev/stderr': 2 };

  // The program's own text, which is not a file of the workspace: readable under the name that `__filename` gives.
  const ownText = (full, failure) => (failure === NOT_FOUND && full === path.resolve(native.sourceName()) ? native.encodeUtf8(native.sourceText()) : undefined);
  const statOf = (full, follow) => {
    if (full === '') return NOT_FOUND;
    const stat = native.stat(full, follow), text = ownText(full, stat);
    return text === undefined ? stat : [6, 1, text.length, 0, 0, 0];
  };
  const realOf = (full) => {
    for (let i = 0; i < 40; i++) {
      const parts = full.split('/').slice(1);
      let at = '', target;
      for (let part = 0; part < parts.length; part++) {
        const next = `${at}/${parts[part]}`, link = native.readLink(next);
        if (typeof link === 'string') { target = path.resolve(at === '' ? '/' : at, link, ...parts.slice(part + 1)); break; }
        at = next;
      }
      if (target === undefined) return full;
      full = target;
    }
    return full;
  };
  // WASI gives no number of a file, so it is made from its path.
  const numberOf = (full) => {
    let a = 0x811c9dc5, b = 0x1b873593;
    for (let i = 0; i < full.length; i++) { a = Math.imul(a ^ full.charCodeAt(i), 0x01000193); b = Math.imul(b ^ full.charCodeAt(i), 0x85ebca6b); }
    return (a >>> 0) + ((b >>> 0) & 0xfffff) * 2 ** 32 || 1;
  };
  const kinds = { 2: constants.S_IFCHR, 3: constants.S_IFDIR, 5: constants.S_IFLNK, 6: constants.S_IFREG };
  const entryTypes = { 2: constants.UV_DIRENT_CHAR, 3: constants.UV_DIRENT_DIR, 5: constants.UV_DIRENT_LINK, 6: constants.UV_DIRENT_FILE };
  const statValues = new Float64Array(36);
  const filled = ([type, links, size, accessed, modified, changed], number, isBig) => {
    const mode = (kinds[type] ?? 0) | (type === 3 ? 0o755 : type === 5 ? 0o777 : 0o644), values = [1, mode, links, 0, 0, 0, 4096, number, size, Math.ceil(size / 512)];
    for (const time of [accessed, modified, changed, changed]) { const second = Math.floor(time / 1000); values.push(second, Math.round((time - second * 1000) * 1e6)); }
    if (isBig) return BigInt64Array.from(values, (value) => BigInt(Math.trunc(value)));
    statValues.set(values);
    return Float64Array.from(values);
  };

  // Descriptor numbers of the program -> the host's handle and where the next read or write happens.
  const files = new Map();
  let nextFile = 3;
  const fileOf = (fd, call) => {
    const file = files.get(fd);
    if (!file) throw fileError(BAD_FILE, call);
    return file;
  };
  const CREATE = 1, DIRECTORY = 2, EXCLUSIVE = 4, TRUNCATE = 8, READ = 1, WRITE = 2;
  const open = (name, flags, mode, call = 'open') => {
    const full = fullOf(name);
    if (full in STANDARD_PATHS) { files.set(nextFile, { standard: STANDARD_PATHS[full], full, position: 0 }); return nextFile++; }
    const wanted = (flags & constants.O_CREAT ? CREATE : 0) | (flags & constants.O_EXCL && flags & constants.O_CREAT ? EXCLUSIVE : 0) | (flags & constants.O_TRUNC ? TRUNCATE : 0) | (flags & constants.O_DIRECTORY ? DIRECTORY : 0);
    const access = [READ, WRITE, READ | WRITE][flags & 3] ?? READ;
    if (full === '') throw fileError(NOT_FOUND, call, name);
    const handle = native.open(full, wanted, access), text = access === READ ? ownText(full, handle) : undefined;
    if (text === undefined) check(handle, call, textOf(name));
    files.set(nextFile, { handle, text, full, access, position: 0, appends: Boolean(flags & constants.O_APPEND) });
    return nextFile++;
  };
  const close = (fd) => {
    if (fd >= 0 && fd <= 2) return;
    const { handle, text, standard } = fileOf(fd, 'close');
    if (text === undefined && standard === undefined) native.close(handle);
    files.delete(fd);
  };
  const standardOf = (fd) => (fd >= 0 && fd <= 2 && !files.has(fd) ? fd : files.get(fd)?.standard);
  const read = (fd, buffer, offset, length, position) => {
    const target = plain(buffer);
    if (standardOf(fd) === 0) {
      if (length === 0) return 0;
      const chunk = internal.readInput(length);
      target.set(chunk, offset);
      return chunk.length;
    }
    const file = fileOf(fd, 'read');
    if (file.access === WRITE || file.standard !== undefined) throw fileError(BAD_FILE, 'read');
    const isPlaced = (typeof position === 'number' || typeof position === 'bigint') && position >= 0, at = isPlaced ? Number(position) : file.position;
    const part = length === 0 ? [] : file.text === undefined ? check(native.read(file.handle, length, at), 'read').subarray(0, length) : file.text.subarray(at, at + length);
    target.set(part, offset);
    if (!isPlaced) file.position += part.length;
    return part.length;
  };
  const write = (fd, bytes, position) => {
    const standard = standardOf(fd);
    if (standard === 1 || standard === 2) { native.write(standard, bytes); return bytes.length; }
    const file = fileOf(fd, 'write');
    if (file.access === READ || file.standard !== undefined) throw fileError(BAD_FILE, 'write');
    const isPlaced = (typeof position === 'number' || typeof position === 'bigint') && position >= 0;
    let at = file.appends ? check(native.statHandle(file.handle), 'write')[2] : isPlaced ? Number(position) : file.position;
    let left = bytes;
    while (left.length > 0) {
      const taken = check(native.writeFile(file.handle, left, at), 'write');
      if (taken === 0) throw fileError(IO, 'write');
      left = left.subarray(taken);
      at += taken;
    }
    if (!isPlaced) file.position = at;
    return bytes.length;
  };
  const statHandle = (fd) => {
    if (standardOf(fd) !== undefined) return [2, 1, 0, 0, 0, 0];
    const file = fileOf(fd, 'fstat');
    return file.text === undefined ? check(native.statHandle(file.handle), 'fstat') : [6, 1, file.text.length, 0, 0, 0];
  };
  const readAll = (fd) => {
    const parts = [];
    for (;;) {
      const part = new Uint8Array(1 << 18), count = read(fd, part, 0, part.length, -1);
      if (count === 0) break;
      parts.push(part.subarray(0, count));
    }
    const all = new Uint8Array(parts.reduce((size, part) => size + part.length, 0));
    let at = 0;
    for (const part of parts) { all.set(part, at); at += part.length; }
    return all;
  };
  const withFile = (nameOrFd, flags, mode, use) => {
    if (typeof nameOrFd === 'number') return use(nameOrFd);
    const fd = open(nameOrFd, flags, mode);
    try { return use(fd); } finally { close(fd); }
  };
  const encoded = (text, encoding) => (encoding === 'buffer' ? internal.toBuffer(native.encodeUtf8(text)) : encoding === undefined || encoding === null || /^utf-?8$/i.test(encoding) ? text : internal.toBuffer(native.encodeUtf8(text)).toString(encoding));
  const list = (name, call) => {
    const full = fullOf(name);
    if (full === '') throw fileError(NOT_FOUND, call, name);
    const flat = check(native.list(full), call, textOf(name)), entries = [];
    for (let i = 0; i < flat.length; i += 2) entries.push([flat[i], entryTypes[flat[i + 1]] ?? constants.UV_DIRENT_UNKNOWN]);
    return entries.sort(([a], [b]) => (a < b ? -1 : 1));
  };
  const make = (name, mode, isRecursive) => {
    const full = fullOf(name).replace(/(?<=.)\/$/, '');
    if (full === '') throw fileError(NOT_FOUND, 'mkdir', name);
    if (!isRecursive) { check(native.makeDirectory(full), 'mkdir', textOf(name)); return undefined; }
    let first;
    const parts = full.split('/').slice(1);
    for (let i = 1; i <= parts.length; i++) {
      const part = `/${parts.slice(0, i).join('/')}`, stat = native.stat(part, true);
      if (typeof stat !== 'number') {
        if (stat[0] !== 3) throw fileError(i === parts.length ? EXISTS : NOT_DIRECTORY, 'mkdir', full);
        continue;
      }
      const made = native.makeDirectory(part);
      if (made === 0) first ??= part;
      // What lies above the directories that the program was given cannot be made and need not be.
      else if (i === parts.length) check(made, 'mkdir', textOf(name));
    }
    return first;
  };
  const change = (method, call) => (name) => {
    const full = fullOf(name);
    if (full === '') throw fileError(NOT_FOUND, call, name);
    check(native[method](full), call, textOf(name));
  };
  // The host makes no links to absolute paths, but the same place has a relative one in the same tree.
  const makeLink = (target, full) => {
    if (!target.startsWith('/') || target.split('/')[1] !== full.split('/')[1]) return native.makeLink(target, full);
    return native.makeLink(path.relative(path.dirname(full), target) || '.', full);
  };
  const copyFile = (from, to, mode) => {
    const source = fullOf(from), stat = statOf(source, true);
    check(stat, 'copyfile', textOf(from), textOf(to));
    if (stat[0] === 3) throw fileError(NOT_PERMITTED, 'copyfile', textOf(from), textOf(to));
    if (realOf(source) === realOf(fullOf(to))) { if (mode & constants.COPYFILE_EXCL) throw fileError(EXISTS, 'copyfile', textOf(from), textOf(to)); return; }
    let bytes = native.readFile(source);
    bytes = ownText(source, bytes) ?? check(bytes, 'copyfile', textOf(from), textOf(to));
    const handle = check(native.open(fullOf(to), mode & constants.COPYFILE_EXCL ? CREATE | EXCLUSIVE : CREATE | TRUNCATE, WRITE), 'copyfile', textOf(from), textOf(to));
    try {
      for (let at = 0; at < bytes.length;) at += check(native.writeFile(handle, bytes.subarray(at), at), 'copyfile', textOf(from), textOf(to));
    } finally { native.close(handle); }
  };
  const stat = (follow, call) => (name, isBig, throwsIfNoEntry = true) => {
    const full = fullOf(name), found = statOf(full, follow);
    if (found === NOT_FOUND && throwsIfNoEntry === false) return undefined;
    if ((found === NOT_FOUND || found === NOT_DIRECTORY) && throwsIfNoEntry === false) return undefined;
    check(found, call, textOf(name));
    const own = follow ? native.stat(full, false) : undefined;
    return filled(found, numberOf(Array.isArray(own) && own[0] === 5 ? realOf(full) : full), isBig);
  };
  const remains = (name, call) => { check(statOf(fullOf(name), true), call, textOf(name)); };
  const statSystem = (name, isBig) => {
    remains(name, 'statfs');
    const values = [0x01021994, 4096, 65536, 32768, 32768, 10000, 5000];
    return isBig ? BigInt64Array.from(values, BigInt) : Float64Array.from(values);
  };

  class DirHandle {
    #entries;
    constructor(entries) { this.#entries = entries; }
    read(encoding, size, request) { return settle(request, () => { const part = this.#entries.splice(0, size); return part.length === 0 ? null : part.flatMap(([name, type]) => [encoded(name, encoding), type]); }); }
    close(request) { return settle(request, () => undefined); }
  }
  const kUsePromises = Symbol('fs_use_promises_symbol');
  class FileHandle {
    #fd;
    constructor(fd) { this.#fd = fd; }
    get fd() { return this.#fd; }
    getAsyncId() { return 1; }
    close() { return settle(kUsePromises, () => { const fd = this.#fd; this.#fd = -1; close(fd); }); }
    releaseFD() { const fd = this.#fd; this.#fd = -1; return fd; }
    onread() {}
  }
  class FSReqCallback { constructor(isBig) { this.isBig = isBig; this.oncomplete = undefined; this.context = undefined; } }

  // Now, later by a request, or by a promise.
  const settle = (request, run) => {
    if (request === undefined) return run();
    if (request === kUsePromises) {
      return new Promise((resolve, reject) => {
        let outcome;
        try { outcome = [resolve, run()]; } catch (error) { outcome = [reject, error]; }
        globalThis.setImmediate(() => outcome[0](outcome[1]));
      });
    }
    let outcome;
    try { const value = run(); outcome = value === undefined ? [null] : [null, value]; } catch (error) {
      // As in Node no frames are left when the error is there.
      Object.defineProperty(error, 'stack', { value: `Error: ${error.message}`, writable: true, enumerable: false, configurable: true });
      outcome = [error];
    }
    globalThis.setImmediate(() => request.oncomplete(...outcome));
    return undefined;
  };
  const { validateInt32 } = internal.node('internal/validators');
  // `count` arguments, then a request.
  const work = {
    access: [2, (name) => remains(name, 'access')],
    open: [3, open], openFileHandle: [3, (...values) => new FileHandle(open(...values))], close: [1, close],
    read: [5, read],
    readBuffers: [3, (fd, buffers, position) => {
      let total = 0;
      for (const buffer of buffers) {
        const count = read(fd, buffer, 0, buffer.byteLength, typeof position === 'number' && position >= 0 ? position + total : null);
        total += count;
        if (count < buffer.byteLength) break;
      }
      return total;
    }],
    writeBuffer: [5, (fd, buffer, offset, length, position) => write(fd, plain(buffer).subarray(offset, offset + length), position)],
    writeBuffers: [3, (fd, buffers, position) => {
      let total = 0;
      for (const buffer of buffers) total += write(fd, plain(buffer), typeof position === 'number' ? position + total : null);
      return total;
    }],
    writeString: [4, (fd, text, position, encoding) => write(fd, plain(internal.encodeText(text, globalThis.Buffer.isEncoding(encoding) ? encoding : 'utf8')), position)],
    rename: [2, (from, to) => { check(from === '' ? NOT_FOUND : native.rename(fullOf(from), fullOf(to)), 'rename', textOf(from), textOf(to)); }],
    ftruncate: [2, (fd, size) => { const file = fileOf(fd, 'ftruncate'); if (file.access === READ) throw fileError(INVALID, 'ftruncate'); check(native.setSize(file.handle, size ?? 0), 'ftruncate'); }],
    rmdir: [1, change('removeDirectory', 'rmdir')], unlink: [1, change('removeFile', 'unlink')], mkdir: [3, make],
    readdir: [3, (name, encoding, withTypes) => {
      const entries = list(name, 'scandir'), found = entries.map(([entry]) => encoded(entry, encoding));
      return withTypes ? [found, entries.map(([, type]) => type)] : found;
    }],
    stat: [2, stat(true, 'stat')], lstat: [2, stat(false, 'lstat')],
    fstat: [2, (fd, isBig) => filled(statHandle(fd), numberOf(files.get(fd)?.full ?? `/dev/fd/${fd}`), isBig)],
    statfs: [2, statSystem],
    readlink: [2, (name, encoding) => encoded(check(textOf(name) === '' ? NOT_FOUND : native.readLink(fullOf(name)), 'readlink', textOf(name)), encoding)],
    realpath: [2, (name, encoding) => { const full = fullOf(name); check(statOf(full, true), 'realpath', textOf(name)); return encoded(realOf(full).replace(/(?<=.)\/$/, ''), encoding); }],
    symlink: [3, (target, name) => { check(makeLink(textOf(target), fullOf(name)), 'symlink', textOf(target), textOf(name)); }],
    link: [2, (from, to) => { remains(from, 'link'); throw fileError(NOT_PERMITTED, 'link', textOf(from), textOf(to)); }],
    copyFile: [3, copyFile],
    mkdtemp: [2, (prefix, encoding) => {
      const letters = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789';
      const name = textOf(prefix) + Array.from(native.randomBytes(6), (byte) => letters[byte % letters.length]).join('');
      const failure = native.makeDirectory(fullOf(name));
      if (failure < 0) throw fileError(failure, 'mkdtemp', `${textOf(prefix)}XXXXXX`);
      return encoded(name, encoding);
    }],
    chmod: [2, (name) => remains(name, 'chmod')], fchmod: [2, (fd) => { statHandle(fd); }], chown: [3, (name) => remains(name, 'chown')], fchown: [3, (fd) => { statHandle(fd); }], lchown: [3, (name) => { check(statOf(fullOf(name), false), 'lchown', textOf(name)); }],
    utimes: [3, (name) => remains(name, 'utime')], futimes: [3, (fd) => { statHandle(fd); }], lutimes: [3, (name) => { check(statOf(fullOf(name), false), 'lutime', textOf(name)); }],
    fsync: [1, (fd) => { statHandle(fd); }], fdatasync: [1, (fd) => { statHandle(fd); }],
  };
  const binding = {
    kUsePromises, FSReqCallback, FileHandle, statValues, kFsStatsFieldsNumber: 18, bigintStatValues: new BigInt64Array(36),
    existsSync: (name) => typeof statOf(fullOf(name), true) !== 'number',
    internalModuleStat: (...values) => { const found = statOf(fullOf(values.at(-1)), true); return typeof found === 'number' ? found : found[0] === 3 ? 1 : 0; },
    readFileUtf8: (nameOrFd, flags) => {
      if (typeof nameOrFd === 'string' && flags === 0 && !(nameOrFd in STANDARD_PATHS)) {
        const full = fullOf(nameOrFd), bytes = full === '' ? NOT_FOUND : native.readFile(full);
        return native.decodeUtf8(ownText(full, bytes) ?? check(bytes, bytes === IS_DIRECTORY ? 'read' : 'open', bytes === IS_DIRECTORY ? undefined : nameOrFd), false);
      }
      return native.decodeUtf8(withFile(nameOrFd, flags, 0o666, readAll), false);
    },
    writeFileUtf8(nameOrFd, text, flags, mode) { withFile(nameOrFd, flags, mode, (fd) => write(fd, native.encodeUtf8(text), null)); },
    cpSyncCheckPaths(from, to, follows, isRecursive) {
      const source = statOf(fullOf(from), follows), target = statOf(fullOf(to), follows), isTree = check(source, 'cp', textOf(from))[0] === 3;
      const refuse = (Class, code, message) => { throw Object.assign(codedError(Class, code, message), { syscall: 'cp', path: textOf(to) }); };
      if (typeof target !== 'number') {
        if (realOf(fullOf(from)) === realOf(fullOf(to))) refuse(Error, 'ERR_FS_CP_EINVAL', 'Invalid src or dest: cp returned EINVAL (src and dest cannot be the same) ' + textOf(to));
        if (isTree && target[0] !== 3) refuse(Error, 'ERR_FS_CP_DIR_TO_NON_DIR', `Cannot overwrite non-directory with directory: cannot overwrite non-directory ${textOf(to)} with directory ${textOf(from)}`);
        if (!isTree && target[0] === 3) refuse(Error, 'ERR_FS_CP_NON_DIR_TO_DIR', `Cannot overwrite directory with non-directory: cannot overwrite directory ${textOf(to)} with non-directory ${textOf(from)}`);
      }
      if (isTree && !isRecursive) refuse(Error, 'ERR_FS_EISDIR', `Recursive option not enabled, cannot copy a directory: ${fullOf(from) === textOf(from) ? textOf(from) : `${textOf(from)}/`}`);
      if (isTree && `${realOf(fullOf(to))}/`.startsWith(`${realOf(fullOf(from))}/`)) refuse(Error, 'ERR_FS_CP_EINVAL', `Invalid src or dest: cp returned EINVAL (cannot copy ${textOf(from)} to a subdirectory of self ${textOf(to)}) ${textOf(to)}`);
      make(path.dirname(fullOf(to)), 0o777, true);
    },
    cpSyncOverrideFile(from, to, mode) { check(native.removeFile(fullOf(to)), 'unlink', textOf(to)); copyFile(from, to, mode); },
    cpSyncCopyDir(from, to, isForced, follows, failsIfThere, keepsLinks) {
      const copy = (source, target) => {
        make(target, 0o777, true);
        for (const [entry] of list(source, 'cp')) {
          const one = `${source}/${entry}`, other = `${target}/${entry}`, kind = check(statOf(one, follows), 'cp', one)[0], there = statOf(other, false);
          if (kind === 3) { copy(one, other); continue; }
          if (typeof there !== 'number') {
            if (failsIfThere && !isForced) throw Object.assign(codedError(Error, 'ERR_FS_CP_EEXIST', `[ERR_FS_CP_EEXIST]: Target already exists: cp returned EEXIST (${other} already exists) ${other}`), { syscall: 'cp', path: other });
            if (!isForced) continue;
            check(native.removeFile(other), 'cp', other);
          }
          if (kind === 5) check(makeLink(keepsLinks ? native.readLink(one) : path.resolve(source, native.readLink(one)), other), 'symlink', one, other);
          else copyFile(one, other, 0);
        }
      };
      copy(fullOf(from), fullOf(to));
    },
    getFormatOfExtensionlessFile: () => 0,
  };
  const needsFile = ['close', 'read', 'readBuffers', 'writeBuffer', 'writeBuffers', 'writeString', 'ftruncate', 'fstat', 'fchmod', 'fchown', 'futimes', 'fsync', 'fdatasync'];
  for (const [name, [count, run]] of Object.entries(work)) {
    // Wrong arguments are said at once, also where the outcome comes later.
    const isOfFile = needsFile.includes(name);
    binding[name] = (...values) => {
      if (isOfFile) validateInt32(values[0], 'fd', 0, 2147483647);
      return settle(values[count], () => (values[count] === undefined ? run(...values.slice(0, count), ...values.slice(count + 1)) : run(...values.slice(0, count))));
    };
  }
  return {
    fs: binding,
    fs_dir: {
      opendir: (name, encoding, request) => settle(request, () => new DirHandle(list(name, 'opendir'))),
      opendirSync: (name) => new DirHandle(list(name, 'opendir')), DirHandle,
    },
  };
}
