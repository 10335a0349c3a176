//! Bindings that few of Node's modules ask for, and stand-ins of its inside: what is behind them here? (see `prelude/node.js`)
(native, internal) => {
  const START = 0, MISSING = 4, BUFFERED = 5, ENCODING = 6;
  const ASCII = 0, UTF8 = 1, BASE64 = 2, UTF16 = 3, LATIN1 = 4, HEX = 5, BASE64URL = 7;
  const names = { [ASCII]: 'ascii', [UTF8]: 'utf8', [BASE64]: 'base64', [UTF16]: 'utf16le', [LATIN1]: 'latin1', [HEX]: 'hex', [BASE64URL]: 'base64url' };
  // Node's `string_decoder.cc`: bytes of a character that is not whole wait in the first four places of `state`.
  const decode = (state, chunk) => {
    let bytes = new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    const encoding = state[ENCODING], text = (part) => internal.decodeText(part, names[encoding]);
    if (encoding === ASCII || encoding === LATIN1 || encoding === HEX) return text(bytes);
    let before = '';
    while (state[MISSING] > 0 && bytes.length > 0) {
      if (encoding === UTF8) {
        for (let i = 0; i < bytes.length && i < state[MISSING]; i++) {
          if ((bytes[i] & 0xc0) === 0x80) continue;
          // Not the continuation that it should be: a new character begins.
          state[MISSING] = i;
          break;
        }
      }
      const found = Math.min(state[MISSING], bytes.length);
      state.set(bytes.subarray(0, found), START + state[BUFFERED]);
      bytes = bytes.subarray(found);
      state[MISSING] -= found;
      state[BUFFERED] += found;
      if (state[MISSING] === 0) {
        before += text(state.slice(START, state[BUFFERED]));
        state[BUFFERED] = 0;
        // The first half of a pair waits for the second.
        if (encoding === UTF16 && before.length > 0 && (before.charCodeAt(before.length - 1) & 0xfc00) === 0xd800) {
          const last = before.charCodeAt(before.length - 1);
          state[MISSING] = 2;
          state[BUFFERED] = 2;
          state[START] = last & 0xff;
          state[START + 1] = last >> 8;
          before = before.slice(0, -1);
        }
      }
    }
    if (bytes.length === 0) return before;
    if (encoding === UTF8 && bytes.at(-1) & 0x80) {
      for (let i = bytes.length - 1; ; i--) {
        state[BUFFERED]++;
        if ((bytes[i] & 0xc0) === 0x80) {
          // No character is that long, or none begins here.
          if (state[BUFFERED] >= 4 || i === 0) { state[BUFFERED] = 0; break; }
        } else {
          if ((bytes[i] & 0xe0) === 0xc0) state[MISSING] = 2;
          else if ((bytes[i] & 0xf0) === 0xe0) state[MISSING] = 3;
          else if ((bytes[i] & 0xf8) === 0xf0) state[MISSING] = 4;
          if (state[BUFFERED] >= state[MISSING]) { state[MISSING] = 0; state[BUFFERED] = 0; }
          state[MISSING] -= state[BUFFERED];
          break;
        }
      }
    } else if (encoding === UTF16) {
      if (bytes.length % 2 === 1) { state[BUFFERED] = 1; state[MISSING] = 1; } else if ((bytes.at(-1) & 0xfc) === 0xd8) { state[BUFFERED] = 2; state[MISSING] = 2; }
    } else if (encoding === BASE64 || encoding === BASE64URL) {
      state[BUFFERED] = bytes.length % 3;
      if (state[BUFFERED] > 0) state[MISSING] = 3 - state[BUFFERED];
    }
    if (state[BUFFERED] > 0) {
      const end = bytes.length - state[BUFFERED];
      state.set(bytes.subarray(end), START);
      bytes = bytes.subarray(0, end);
    }
    return before + (bytes.length > 0 ? text(bytes) : '');
  };
  const flush = (state) => {
    if (state[ENCODING] === UTF16 && state[BUFFERED] % 2 === 1) { state[MISSING]--; state[BUFFERED]--; }
    const rest = state[BUFFERED] === 0 ? '' : internal.decodeText(state.slice(START, state[BUFFERED]), names[state[ENCODING]]);
    state[MISSING] = 0;
    state[BUFFERED] = 0;
    return rest;
  };

  const zlibConstants = Object.freeze({
    Z_NO_FLUSH: 0, Z_PARTIAL_FLUSH: 1, Z_SYNC_FLUSH: 2, Z_FULL_FLUSH: 3, Z_FINISH: 4, Z_BLOCK: 5, Z_OK: 0, Z_STREAM_END: 1, Z_NEED_DICT: 2, Z_ERRNO: -1, Z_STREAM_ERROR: -2, Z_DATA_ERROR: -3, Z_MEM_ERROR: -4,
    Z_BUF_ERROR: -5, Z_VERSION_ERROR: -6, Z_NO_COMPRESSION: 0, Z_BEST_SPEED: 1, Z_BEST_COMPRESSION: 9, Z_DEFAULT_COMPRESSION: -1, Z_FILTERED: 1, Z_HUFFMAN_ONLY: 2, Z_RLE: 3, Z_FIXED: 4, Z_DEFAULT_STRATEGY: 0,
    ZLIB_VERNUM: 4880, DEFLATE: 1, INFLATE: 2, GZIP: 3, GUNZIP: 4, DEFLATERAW: 5, INFLATERAW: 6, UNZIP: 7, BROTLI_DECODE: 8, BROTLI_ENCODE: 9, ZSTD_COMPRESS: 10, ZSTD_DECOMPRESS: 11, Z_MIN_WINDOWBITS: 8, Z_MAX_WINDOWBITS: 15,
    Z_DEFAULT_WINDOWBITS: 15, Z_MIN_CHUNK: 64, Z_MAX_CHUNK: Infinity, Z_DEFAULT_CHUNK: 16384, Z_MIN_MEMLEVEL: 1, Z_MAX_MEMLEVEL: 9, Z_DEFAULT_MEMLEVEL: 8, Z_MIN_LEVEL: -1, Z_MAX_LEVEL: 9, Z_DEFAULT_LEVEL: -1,
    BROTLI_OPERATION_PROCESS: 0, BROTLI_OPERATION_FLUSH: 1, BROTLI_OPERATION_FINISH: 2, BROTLI_OPERATION_EMIT_METADATA: 3, BROTLI_PARAM_MODE: 0, BROTLI_PARAM_QUALITY: 1, BROTLI_PARAM_LGWIN: 2, BROTLI_PARAM_SIZE_HINT: 5,
    BROTLI_DECODER_PARAM_LARGE_WINDOW: 1, BROTLI_MIN_QUALITY: 0, BROTLI_MAX_QUALITY: 11, BROTLI_DEFAULT_QUALITY: 11, ZSTD_e_continue: 0, ZSTD_e_flush: 1, ZSTD_e_end: 2, ZSTD_c_compressionLevel: 100, ZSTD_d_windowLogMax: 100,
  });

  const parseEnv = (text) => {
    const found = {};
    const line = /^[ \t]*(?:export\s+)?([\w.-]+)[ \t]*=[ \t]*(?:'([^']*)'|"([^"]*)"|`([^`]*)`|([^\r\n#]*))/gm;
    for (const [, name, single, double, back, bare] of text.matchAll(line)) found[name] = single ?? double?.replaceAll('\\n', '\n') ?? back ?? bare.trim();
    return found;
  };

  // The call that failed, as the program wrote it: from its line, to the parenthesis that ends it.
  const sourceOf = (error) => {
    const [, file, line, column] = /(?:\(|at )([^()\s]+):(\d+):(\d+)\)?$/m.exec(error.stack ?? '') ?? [];
    if (file === undefined) return undefined;
    const full = internal.path.resolve(file);
    let text;
    if (full === internal.path.resolve(native.sourceName())) text = native.sourceText();
    else {
      const bytes = native.readFile(full);
      if (typeof bytes === 'number') return undefined;
      text = native.decodeUtf8(bytes, false);
    }
    const source = text.split('\n')[line - 1];
    if (source === undefined) return undefined;
    const endOf = (start) => {
      let depth = 0, quote = '';
      for (let at = start; at < source.length; at++) {
        const letter = source[at];
        if (quote !== '') { if (letter === '\\') at++; else if (letter === quote) quote = ''; } else if (letter === '"' || letter === "'" || letter === '`') quote = letter;
        else if (letter === '(') depth++;
        else if (letter === ')' && --depth === 0) return at + 1;
      }
      return source.length;
    };
    // The engine says where in the call it was, so it is the call around that place that is named like a check, or the outermost one.
    const calls = [...source.matchAll(/[\p{L}\p{N}_$.?]+(?:\['\w+'\])?\s*\(/gu)].map((match) => [match.index, endOf(match.index), match[0]]).filter(([start, end]) => start < column && column <= end + 1);
    const [start, end] = calls.findLast(([,, name]) => /(?:^|\.)(?:assert|ok|strict)\s*\($/.test(name)) ?? calls[0] ?? [];
    return start === undefined ? undefined : source.slice(start, end);
  };

  const aborted = (signal, resource) => new Promise((resolve) => { if (signal.aborted) resolve(); else signal.addEventListener('abort', () => resolve(), { once: true }); });
  const missing = (name) => { throw internal.codedError(Error, 'ERR_FEATURE_UNAVAILABLE_ON_PLATFORM', `${name} is not in the sandbox`); };
  const make = {
    url: () => ({
      domainToASCII: (host) => internal.urlParts.domainToASCII(host),
      format(href, hasFragment, isUnicode, hasSearch, hasAuth) {
        const url = new globalThis.URL(href);
        if (!hasFragment) url.hash = '';
        if (!hasSearch) url.search = '';
        if (!hasAuth) { url.username = ''; url.password = ''; }
        return isUnicode ? url.href.replace(url.hostname, internal.urlParts.domainToUnicode(url.hostname)) : url.href;
      },
    }),
    fs: () => internal.lazy('fs_binding').fs,
    fs_dir: () => internal.lazy('fs_binding').fs_dir,
    fs_event_wrap: () => ({ FSEvent: class { constructor() { missing('watching files'); } } }),
    zlib: () => internal.lazy('zlib_binding'),
    stream_wrap: () => ({ streamBaseState: [], kReadBytesOrError: 0, kLastWriteWasAsync: 1, ShutdownWrap: class {}, WriteWrap: class {} }),
    performance: () => ({}), blob: () => ({}), worker: () => ({}), options: () => ({}), profiler: () => ({}), icu: () => ({}),
  };
  const watching = () => { throw Object.assign(internal.codedError(Error, 'ENOSYS', 'ENOSYS: function not implemented, watch'), { syscall: 'watch' }); };
  const watchers = { FSWatcher: class FSWatcher { constructor() { watching(); } }, StatWatcher: class StatWatcher { constructor() { watching(); } }, kFSWatchStart: Symbol('start'), kFSStatWatcherAddOrCleanRef: Symbol('ref'), watch: watching };
  return { watchers, binding: (name) => make[name]?.() ?? missing(`internalBinding('${name}')`), decode, flush, zlibConstants, parseEnv, sourceOf, aborted };
}
