//! `process`: what does a program know of itself, and how does it read its standard input?
(native, internal) => {
  const { define, EventEmitter, codedError } = internal;
  const { Buffer } = globalThis;
  const STDOUT = 1, STDERR = 2;
  const newline = 10;
  let directory = '/work';
  internal.cwd = () => directory;

  // Bytes that were read but not yet taken.
  let pending = new Uint8Array(0), isAtEnd = false;
  const readMore = () => {
    const chunk = native.readInput();
    if (chunk === null) { isAtEnd = true; return false; }
    if (pending.length === 0) pending = chunk;
    else {
      const all = new Uint8Array(pending.length + chunk.length);
      all.set(pending);
      all.set(chunk, pending.length);
      pending = all;
    }
    return true;
  };
  const takeLine = () => {
    let from = 0;
    for (;;) {
      const end = pending.indexOf(newline, from);
      if (end >= 0) {
        const line = pending.subarray(0, end);
        pending = pending.subarray(end + 1);
        return native.decodeUtf8(line, false).replace(/\r$/, '');
      }
      from = pending.length;
      if (isAtEnd || !readMore()) break;
    }
    if (pending.length === 0) return null;
    const line = native.decodeUtf8(pending, false);
    pending = new Uint8Array(0);
    return line;
  };
  // At most so many bytes; the rest stays for the next one who reads.
  const takeChunk = (most = Infinity) => {
    if (pending.length === 0 && !isAtEnd) readMore();
    const chunk = pending.length > most ? pending.subarray(0, most) : pending;
    pending = pending.subarray(chunk.length);
    return chunk;
  };
  internal.readAllInput = () => {
    const parts = [];
    for (let chunk = takeChunk(); chunk.length > 0; chunk = takeChunk()) parts.push(chunk);
    return Buffer.concat(parts);
  };
  internal.readInput = takeChunk;

  define('readline', function readline(prompt) {
    if (prompt !== undefined) native.write(STDOUT, `${prompt}`);
    return takeLine();
  });

  const exitCodeOf = (code) => {
    const number = typeof code === 'string' && code.trim() !== '' ? Number(code) : code;
    if (number === undefined || number === null) return undefined;
    if (!Number.isInteger(number)) throw codedError(TypeError, 'ERR_INVALID_ARG_TYPE', `The "code" argument must be of type number. Received ${internal.received(code)}`);
    return number;
  };
  const noUsage = Object.fromEntries(['sharedMemorySize', 'unsharedDataSize', 'unsharedStackSize', 'minorPageFault', 'majorPageFault', 'swappedOut', 'fsRead', 'fsWrite', 'ipcSent', 'ipcReceived', 'signalsCount', 'voluntaryContextSwitches', 'involuntaryContextSwitches'].map((name) => [name, 0]));
  let exitCode, isExiting = false, umask = 18;
  class Process extends EventEmitter {}
  Object.defineProperty(Process, 'name', { value: 'process' });
  const { process } = internal;
  Object.setPrototypeOf(process, Process.prototype);
  EventEmitter.call(process);
  const needHooks = (name) => { if (['exit', 'beforeExit', 'uncaughtException', 'unhandledRejection'].includes(name)) native.needExitHooks(); };
  for (const method of ['on', 'once', 'addListener', 'prependListener']) {
    Object.defineProperty(process, method, {
      value(name, listener) { needHooks(name); return EventEmitter.prototype[method].call(this, name, listener); },
      writable: true, configurable: true, enumerable: false,
    });
  }
  const runExitListeners = (code) => {
    if (isExiting) return;
    isExiting = true;
    process.emit('exit', code);
  };

  // Made when it is first looked at; arguments and environment come with each evaluation, but a program keeps what it set.
  const lazy = (name, make) => Object.defineProperty(process, name, {
    get() { const value = make(); Object.defineProperty(process, name, { value, writable: true, enumerable: true, configurable: true }); return value; },
    set(value) { Object.defineProperty(process, name, { value, writable: true, enumerable: true, configurable: true }); },
    enumerable: true, configurable: true,
  });
  lazy('argv', () => ['javascript', `/work/${native.sourceName()}`, ...native.arguments()]);
  lazy('env', () => {
    const list = native.environment(), env = { HOME: '/work', LANG: 'C.UTF-8', PATH: '/usr/local/bin:/usr/bin:/bin' };
    for (let i = 0; i < list.length; i += 2) env[list[i]] = list[i + 1];
    // Node changes the zone of local times with the variable.
    const noteZone = (key, value) => { if (key === 'TZ') native.useZone(value); };
    return new Proxy(env, {
      set(target, key, value) { target[key] = value = `${value}`; noteZone(key, value); return true; },
      defineProperty(target, key, descriptor) {
        const isDone = Reflect.defineProperty(target, key, 'value' in descriptor ? { ...descriptor, value: `${descriptor.value}` } : descriptor);
        if (isDone && 'value' in descriptor) noteZone(key, `${descriptor.value}`);
        return isDone;
      },
      deleteProperty(target, key) { noteZone(key); return delete target[key]; },
    });
  });
  lazy('stdout', () => internal.openStdio(STDOUT));
  lazy('stderr', () => internal.openStdio(STDERR));
  let stdin;
  const makeStdin = () => (stdin = new (internal.lazy('stdin').Stdin)());
  lazy('stdin', makeStdin);
  lazy('memoryUsage', () => Object.assign(() => {
    const [used, total] = native.memoryUsage();
    return { rss: total, heapTotal: total, heapUsed: used, external: 0, arrayBuffers: 0 };
  }, { rss: () => native.memoryUsage()[1] }));

  Object.assign(process, {
    title: 'javascript', pid: 1, ppid: 0, execPath: '/javascript', execArgv: [], exitCode: undefined,
    release: { name: 'node' }, features: {}, config: { variables: {} },
    cwd: () => directory,
    chdir(path) {
      const target = internal.path.resolve(path);
      const stat = native.stat(target, true);
      if (typeof stat === 'number') throw internal.fileError(stat, 'chdir', path);
      directory = target;
    },
    exit(code) {
      const chosen = exitCodeOf(code) ?? exitCode ?? 0;
      exitCode = chosen;
      runExitListeners(chosen);
      native.exit(exitCode);
    },
    abort() { native.exit(134); },
    kill() { throw codedError(Error, 'ENOSYS', 'kill ENOSYS'); },
    nextTick(callback, ...values) {
      if (typeof callback !== 'function') throw codedError(TypeError, 'ERR_INVALID_ARG_TYPE', `The "callback" argument must be of type function. Received ${internal.received(callback)}`);
      internal.nextTick(callback, values);
    },
    hrtime: Object.assign((before) => {
      const now = native.monotonic();
      let difference = before ? now - (BigInt(before[0]) * 1000000000n + BigInt(before[1])) : now;
      return [Number(difference / 1000000000n), Number(difference % 1000000000n)];
    }, { bigint: () => native.monotonic() }),
    uptime: () => globalThis.performance.now() / 1000,
    cpuUsage: () => ({ user: Math.round(globalThis.performance.now() * 1000), system: 0 }),
    constrainedMemory: () => 0, availableMemory: () => native.memoryUsage()[1],
    resourceUsage: () => ({ userCPUTime: process.cpuUsage().user, systemCPUTime: 0, maxRSS: Math.round(native.memoryUsage()[1] / 1024), ...noUsage }),
    umask: (mask) => { const old = umask; if (mask !== undefined) umask = mask; return old; },
    getuid: () => 0, geteuid: () => 0, getgid: () => 0, getegid: () => 0,
    emitWarning(warning, type, code, from) {
      if (type !== null && typeof type === 'object' && !Array.isArray(type)) ({ type, code } = type);
      else if (typeof type === 'function') type = code = undefined;
      const { validateString } = internal.node('internal/validators'), { codes } = internal.node('internal/errors');
      type ??= 'Warning';
      validateString(type, 'type');
      if (typeof code === 'function') code = undefined;
      else if (code !== undefined) validateString(code, 'code');
      if (typeof warning !== 'string' && !(warning instanceof Error)) throw new codes.ERR_INVALID_ARG_TYPE('warning', ['Error', 'string'], warning);
      if (type === 'DeprecationWarning' && process.noDeprecation) return;
      let error = warning;
      if (!(warning instanceof Error)) {
        error = new Error(`${warning}`);
        error.name = type;
        if (typeof code === 'string') error.code = code;
      }
      internal.nextTick(() => {
        native.write(STDERR, `(${process.title}) ${error.code ? `[${error.code}] ` : ''}${error.name}: ${error.message}\n`);
        process.emit('warning', error);
      }, []);
    },
  });
  Object.defineProperty(process, 'exitCode', {
    get: () => exitCode,
    set(code) { exitCode = exitCodeOf(code); native.setExitCode(exitCode ?? 0); },
    enumerable: true, configurable: true,
  });
  Object.defineProperty(process, Symbol.toStringTag, { value: 'process', configurable: true });
  define('process', process);
  define('global', globalThis);
  class Navigator {
    get hardwareConcurrency() { return 1; }
    get language() { return 'en-US'; }
    get languages() { return ['en-US']; }
    get platform() { return process.platform; }
    get userAgent() { return `Node.js/${parseInt(process.versions.node)}`; }
  }
  define('Navigator', Navigator);
  internal.defineLazy('navigator', () => new Navigator());
  internal.builtins['process'] = () => process;

  // True if the program's own handler took the error.
  internal.handle = (error, promise, isLast) => {
    if (promise !== undefined && process.listenerCount('unhandledRejection') > 0) return process.emit('unhandledRejection', error, promise);
    if (process.listenerCount('uncaughtException') > 0) return process.emit('uncaughtException', error, promise === undefined ? 'uncaughtException' : 'unhandledRejection');
    exitCode = 1;
    if (isLast) runExitListeners(1);
    return false;
  };
  // Nothing is left to do, unless a listener begins something.
  internal.beforeExit = () => { if (!isExiting) process.emit('beforeExit', exitCode ?? 0); };
  internal.finish = (code) => {
    runExitListeners(exitCode ?? code);
    native.setExitCode(exitCode ?? code);
  };
  // An evaluation that ended leaves no exit code for the next one of the session.
  const resetLoop = internal.reset;
  internal.reset = () => {
    resetLoop();
    if (isExiting) process.removeAllListeners('exit');
    exitCode = undefined;
    isExiting = false;
    // A read that was put off is forgotten as well.
    if (stdin !== undefined) lazy('stdin', makeStdin);
    stdin = undefined;
  };

  internal.builtins['readline'] = () => internal.lazy('readline').readline;
  internal.builtins['readline/promises'] = () => internal.lazy('readline').promises;
  internal.builtins['timers'] = () => ({ setTimeout, setInterval, setImmediate, clearTimeout, clearInterval, clearImmediate, promises: internal.timersPromises });
  internal.builtins['timers/promises'] = () => internal.timersPromises;
  internal.builtins['os'] = () => ({
    EOL: '\n', platform: () => 'wasi', type: () => 'WASI', arch: () => 'wasm32', release: () => '0.2.0', version: () => '', hostname: () => 'localhost', machine: () => 'wasm32',
    homedir: () => process.env.HOME || '/work', tmpdir: () => '/work', cpus: () => [{ model: 'wasm32', speed: 0, times: { user: 0, nice: 0, sys: 0, idle: 0, irq: 0 } }],
    availableParallelism: () => 1, totalmem: () => native.memoryUsage()[1], freemem: () => 0, uptime: () => process.uptime(), loadavg: () => [0, 0, 0],
    networkInterfaces: () => ({}), userInfo: () => ({ uid: 0, gid: 0, username: 'user', homedir: '/work', shell: null }), endianness: () => 'LE', devNull: '/dev/null',
    constants: { signals: internal.signals, errno: {} },
  });
}
