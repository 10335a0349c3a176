//! JavaScript driver: how does a program in a container run and end as it would in the guest?
//!
//! A script runs in the global scope, so that the value of its last expression is known; a module is
//! imported from the workspace, where it lies while it runs.
//!
//!     driver.cjs COMPLETION MOST MOST_RESULTS PROGRAM NAME ARGUMENT...
//!     driver.cjs COMPLETION MOST MOST_RESULTS
//!
//! Without a program it serves a session: the number of an evaluation comes on descriptor 6, its
//! program, arguments and input lie in `/program`, and its number and exit code go to descriptor 7.

'use strict';
const fs = require('fs');
const path = require('path');
const util = require('util');
const vm = require('vm');
const Module = require('module');
const { pathToFileURL } = require('url');

const [node, , completion, most, mostResults, ...startedWith] = process.argv;
const WORKSPACE = '/work';
const PROGRAM = '/program';
const isSession = startedWith.length === 0;

// Node leaves proxies to programs, and these know of none.
const proxy = process.env.HTTPS_PROXY && new URL(process.env.HTTPS_PROXY);
if (proxy) {
  const http = require('http');
  const https = require('https');
  const tls = require('tls');
  const net = require('net');
  const { request } = http;
  const tunnel = (options, done) => {
    const target = `${net.isIPv6(options.host) ? `[${options.host}]` : options.host}:${options.port}`;
    const asking = request({ host: proxy.hostname, port: proxy.port, method: 'CONNECT', path: target, headers: { host: target }, agent: false });
    asking.once('error', done);
    asking.once('connect', (answer, socket) => {
      if (answer.statusCode !== 200) done(new Error(`the proxy refuses: ${answer.statusCode}`));
      else done(null, tls.connect({ ...options, path: undefined, socket, servername: net.isIP(options.host) ? undefined : options.servername || options.host }));
    });
    asking.end();
  };
  class TunnelAgent extends https.Agent { createConnection(options, done) { tunnel(options, done); } }
  https.globalAgent = new TunnelAgent();
  // Plain requests go to the proxy whole.
  const asked = (input, options, done) => {
    if (typeof input === 'string' || input instanceof URL) {
      const { protocol, hostname, port, pathname, search } = new URL(input);
      return typeof options === 'function' ? [{ protocol, hostname, port, path: pathname + search }, options] : [{ protocol, hostname, port, path: pathname + search, ...options }, done];
    }
    return [input, options];
  };
  http.request = (input, options, done) => {
    const [wanted, callback] = asked(input, options, done);
    if (wanted.socketPath || wanted.createConnection || (wanted.protocol ?? wanted.agent?.protocol ?? 'http:') !== 'http:') return request(wanted, callback);
    const host = wanted.hostname ?? wanted.host ?? 'localhost';
    const origin = `http://${host}${wanted.port && +wanted.port !== 80 ? `:${wanted.port}` : ''}`;
    const headers = { host: origin.slice(7), ...wanted.headers };
    return request({ ...wanted, host: proxy.hostname, hostname: proxy.hostname, port: proxy.port, path: `${origin}${wanted.path ?? '/'}`, headers, agent: undefined }, callback);
  };
  http.get = (...wanted) => { const made = http.request(...wanted); made.end(); return made; };
  const redirected = [301, 302, 303, 307, 308];
  globalThis.fetch = async (input, init) => {
    let wanted = new Request(input, init);
    let body = wanted.body === null ? undefined : Buffer.from(await wanted.arrayBuffer());
    for (let hops = 0; ; hops += 1) {
      const url = new URL(wanted.url);
      const answer = await new Promise((resolve, reject) => {
        const made = (url.protocol === 'https:' ? https : http).request(url, { method: wanted.method, headers: Object.fromEntries(wanted.headers), signal: init?.signal }, resolve);
        made.once('error', (error) => reject(Object.assign(new TypeError('fetch failed'), { cause: error })));
        made.end(body);
      });
      if (redirected.includes(answer.statusCode) && answer.headers.location && wanted.redirect === 'follow') {
        if (hops >= 20) throw new TypeError('fetch failed: too many redirects');
        answer.resume();
        const next = new URL(answer.headers.location, url);
        const headers = new Headers(wanted.headers);
        // Credentials for one origin must not be sent to another.
        if (next.origin !== url.origin) for (const secret of ['authorization', 'cookie', 'proxy-authorization']) headers.delete(secret);
        if ((answer.statusCode === 303 && wanted.method !== 'HEAD') || (answer.statusCode < 303 && wanted.method === 'POST')) {
            body = undefined;
            headers.delete('content-type');
            wanted = new Request(next, { headers });
        } else wanted = new Request(next, { method: wanted.method, headers, body });
        continue;
      }
      if (redirected.includes(answer.statusCode) && wanted.redirect === 'error') {
        answer.destroy();
        throw new TypeError('fetch failed', { cause: new Error('unexpected redirect') });
      }
      const pieces = [];
      for await (const piece of answer) pieces.push(piece);
      const headers = new Headers();
      for (let at = 0; at < answer.rawHeaders.length; at += 2) headers.append(answer.rawHeaders[at], answer.rawHeaders[at + 1]);
      const isEmpty = [101, 204, 205, 304].includes(answer.statusCode);
      const response = new Response(isEmpty ? null : Buffer.concat(pieces), { status: answer.statusCode, statusText: answer.statusMessage, headers });
      Object.defineProperty(response, 'url', { value: url.href });
      return response;
    }
  };
}

// A tool of the host, as in the guest: a request to the egress proxy, `http://glovebox/tools/NAME`.
const callTool = function callTool(name, values) {
  if (typeof name !== 'string') throw new TypeError('callTool: the name of the tool must be a string');
  const json = JSON.stringify(values === undefined ? {} : values);
  const { ClientRequest } = require('http');
  return new Promise((resolve, reject) => {
    const fail = (kind, message) => {
      const error = new Error(message);
      reject(Object.assign(error, { name: 'ToolError', kind, tool: name }));
    };
    const options = {
      host: '127.0.0.1',
      port: 3128,
      method: 'POST',
      path: `/tools/${encodeURI(name)}`,
      headers: { host: 'glovebox', 'content-type': 'application/json' },
      agent: false,
    };
    const call = new ClientRequest(options, (answer) => {
      const chunks = [];
      answer.on('error', (error) => fail('failed', error.message));
      answer.on('data', (chunk) => chunks.push(chunk));
      answer.on('end', () => {
        try {
          const value = JSON.parse(Buffer.concat(chunks).toString());
          if (answer.statusCode === 200) resolve(value);
          else fail(value.kind, value.message);
        } catch (error) {
          reject(error);
        }
      });
    });
    call.on('error', (error) => {
      if (error.code === 'ECONNREFUSED') fail('denied', 'this run has no tools');
      else fail('failed', error.message);
    });
    call.end(json === undefined ? '{}' : json);
  });
};
Object.defineProperty(globalThis, 'callTool', { value: callTool, writable: true, configurable: true });

const isPlain = (value, holders = []) => {
  if (typeof value === 'string' || typeof value === 'boolean' || value === null) return true;
  if (typeof value === 'number') return Number.isFinite(value) && !Object.is(value, -0);
  if (typeof value !== 'object' || holders.length > 200 || holders.includes(value) || util.types.isProxy(value)) return false;
  const prototype = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== Array.prototype && prototype !== null) return false;
  return Object.values(value).every((item) => isPlain(item, [...holders, value]));
};
// The report is lines of JSON, each written at once: a program may end without a word.
const MOST_SHOWN = 1000;
const MARGIN = 1 << 20;
const { writeFileSync } = fs;
let resultCount = 0;
let resultBytes = 0;
let written = 0;
let isTruncated = false;
const tellLine = (line) => {
  const bytes = Buffer.byteLength(line) + 1;
  if (written + bytes > Number(most)) return;
  // The exit code is reported all the same.
  try { writeFileSync(completion, `${line}\n`, { flag: 'a' }); } catch { return; }
  written += bytes;
};
const tell = (more) => { try { tellLine(JSON.stringify(more)); } catch { /* as too long a text */ } };
const forgetResults = () => {
  resultCount = resultBytes = written = 0;
  isTruncated = false;
};
const refused = (reason) => {
  if (!isTruncated) tell({ truncated: true });
  isTruncated = true;
  return reason;
};
const shownResults = {
  define: (name, value) => Object.defineProperty(globalThis, name, { value, writable: true, configurable: true }),
  inspect: util.inspect,
  isProxy: util.types.isProxy,
  complain: (text) => fs.writeSync(2, text),
  sendResult: (json, size) => {
    if (resultCount >= MOST_SHOWN) return refused(`a run shows at most ${MOST_SHOWN} results`);
    const isMore = resultBytes + size > Number(mostResults) || written + Buffer.byteLength(json) > 2 * Number(mostResults) + MARGIN;
    if (isMore) return refused(`the results that a run shows have at most ${mostResults} bytes (\`limits.results\`), and ${size} more do not fit`);
    resultCount += 1;
    resultBytes += size;
    tellLine(`{"result":${json}}`);
    return undefined;
  },
};
vm.runInThisContext(fs.readFileSync(path.join(__dirname, 'results.js'), 'utf8'), { filename: path.join(__dirname, 'results.js') })(undefined, shownResults);
// Ends the program: the process, or an evaluation of the session.
let end = process.exit.bind(process);
const finish = (value) => {
  if (util.types.isPromise(value)) {
    value.then(finish, () => {});
    return;
  }
  if (value === undefined) return;
  shownResults.showValue(value);
  let json = null;
  try { if (isPlain(value)) json = JSON.stringify(value); } catch { /* as too deep */ }
  tell({ value: { json, text: util.inspect(value) } });
};
// Without the frames of this file and of what it calls, which are no part of the program.
const isOwn = (line) => line.includes(__dirname) || /^ +at .*(node:(internal|vm|inspector)|glovebox-step)/.test(line);
const shown = (value) => {
  let isBelow = false;
  const isProgram = (line) => {
    isBelow = /^ +at /.test(line) && (isBelow || line.includes(__dirname));
    return !isBelow && !isOwn(line);
  };
  return util.inspect(value).split('\n').filter(isProgram).join('\n');
};
const text_of = (make) => { try { return `${make()}`; } catch { return ''; } };
const raise = (error, isRejection) => {
  const isError = util.types.isNativeError(error);
  const kind = isError ? text_of(() => (error.name === 'Error' ? error.constructor.name : error.name)) : isRejection ? 'UnhandledPromiseRejection' : text_of(() => (error === null || error === undefined ? error : error.constructor.name));
  const message = isError ? text_of(() => error.message) : typeof error === 'string' ? error : text_of(() => util.inspect(error));
  const traceback = isError ? text_of(() => shown(error)) : isRejection ? `[UnhandledPromiseRejection: ... with the reason "${message}".]` : `Uncaught:\n${text_of(() => util.inspect(error))}`;
  fs.writeSync(2, `${traceback}\n`);
  tell({ exception: { kind, message, traceback } });
  end(1);
};
process.on('uncaughtException', (error, origin) => raise(error, origin === 'unhandledRejection'));

const hasModuleSyntax = (text) => /^\s*(import\s*[{*'"]|import\s+[\w$]|export\s*[{*]|export\s+\w)/m.test(text) || /\bimport\.meta\b/.test(text);
const isModule = (name, text) => /\.m[jt]s$/.test(name) || hasModuleSyntax(text);
// In TypeScript; the transform is there if the program's language is that one.
const typescript = fs.existsSync(path.join(__dirname, 'typescript.cjs')) ? require('./typescript.cjs')(hasModuleSyntax) : undefined;
if (typescript) Module.registerHooks?.(typescript.hooks);

// The texts of modules that are no files, by their URLs.
const texts = new Map();
const supply = {
  resolve(name, context, next) {
    // `npm:name@1.2/part` asks for a version as well, which was seen to before the program began.
    const [, plain, part = ''] = /^npm:\/?((?:@[^/@]+\/)?[^/@]+)(?:@[^/]*)?(\/.*)?$/.exec(name) ?? [];
    if (plain !== undefined) return next(plain + part, context);
    const from = context.parentURL?.startsWith('file:') ? context.parentURL : `file://${WORKSPACE}/`;
    const url = /^\.{1,2}\/|^file:/.test(name) && URL.canParse(name, from) ? new URL(name, from).href : undefined;
    return texts.has(url) ? { url, format: 'module', shortCircuit: true } : next(name, context);
  },
  load: (url, context, next) => (texts.has(url) ? { format: 'module', source: texts.get(url), shortCircuit: true } : next(url, context)),
};
let isSupplied = false;
const supplyModules = () => {
  if (!isSupplied) Module.registerHooks?.(supply);
  isSupplied = true;
};
// A program finds its own text where its name says, while it runs.
const asksForItself = (text) => /\b__filename\b|\bimport\.meta\.filename\b|\(import\.meta\.url\)|\bargv\[1\]/.test(text);
const { readFileSync, unlinkSync } = fs;
let ownFile;
const putOwnFile = (file, text) => {
  if (!asksForItself(text)) return;
  // Not if there is one already, or no room.
  try { fs.writeFileSync(file, text, { flag: 'wx' }); } catch { return; }
  ownFile = { file, text };
};
const takeBackOwnFile = () => {
  const { file, text } = ownFile ?? {};
  ownFile = undefined;
  // Not if the program has changed it: then it is a result.
  try { if (file !== undefined && readFileSync(file, 'utf8') === text) unlinkSync(file); } catch { /* the program was quicker */ }
};
process.on('exit', takeBackOwnFile);
let isUnsettled = false;
const load = async (file, source) => {
  isUnsettled = true;
  try { return await (Module.registerHooks ? loadFromText : loadFromFile)(file, source); } finally { isUnsettled = false; }
};
if (!isSession) process.on('beforeExit', () => {
  if (!isUnsettled) return;
  // As Node ends with a top-level `await` that nothing can settle.
  fs.writeSync(2, 'Warning: Detected unsettled top-level await\n');
  end(13);
});
const loadFromText = async (file, source) => {
  supplyModules();
  const url = pathToFileURL(file);
  // A module is known by its URL, and a session may have the same name twice.
  if (isSession) url.search = `${process.hrtime.bigint()}`;
  const begin = /\bimport\.meta\.main\b/.test(source) ? 'import.meta.main = true; ' : '';
  texts.set(url.href, begin + source.replace(/^#!.*/, ''));
  try { return await import(url); } finally { if (isSession) texts.delete(url.href); }
};
// An image of the policy's own may have a Node that is older.
const loadFromFile = async (file, source) => {
  let place = path.join(WORKSPACE, path.basename(file).replace(/(\.[cm]?js)?$/, '.mjs'));
  for (let number = 1; fs.existsSync(place); number += 1) place = path.join(WORKSPACE, `.main-${number}.mjs`);
  fs.writeFileSync(place, source);
  const remove = () => { try { fs.unlinkSync(place); } catch { /* the program was quicker */ } };
  process.on('exit', remove);
  process.argv[1] = place;
  // A module is known by its URL, and a session may have the same place twice.
  const url = pathToFileURL(place);
  if (isSession) url.search = `${process.hrtime.bigint()}`;
  try { return await import(url); } finally { remove(); process.off('exit', remove); }
};
const main = new Module(path.join(WORKSPACE, 'main.js'), null);
const prepareScript = (file) => {
  // Older ones of Node show it to modules alone.
  globalThis.crypto ??= require('crypto').webcrypto;
  Object.assign(main, { id: '.', filename: file, paths: Module._nodeModulePaths(WORKSPACE) });
  process.mainModule = main;
  for (const [key, value] of Object.entries({ require: Module.createRequire(file), module: main, __filename: file, __dirname: path.dirname(file) })) {
    Object.defineProperty(globalThis, key, { value, writable: true, configurable: true });
  }
  Object.defineProperty(globalThis, 'exports', { get: () => main.exports, set: (value) => { main.exports = value; }, configurable: true });
  globalThis.require.main = main;
};
const fileOf = (name) => path.resolve(WORKSPACE, name);
// The text of a program, and the JavaScript that it becomes.
const read = (program, name) => {
  const text = fs.readFileSync(program, 'utf8').replace(/^\ufeff/, '');
  putOwnFile(fileOf(name), text);
  if (/['"`]npm:/.test(text)) supplyModules();
  return typescript ? typescript.transform(text.replace(/^#!.*/, ''), name) : text;
};
const { emitWarning } = process;
process.emitWarning = (warning, ...more) => {
  if (!`${warning}`.startsWith('vm.USE_MAIN_CONTEXT_DEFAULT_LOADER')) emitWarning.call(process, warning, ...more);
};
// The value of a program that awaits, as of one that does not. What it still waits for comes first.
const loadForValue = async (file, text) => {
  if (isSession) return load(file, text);
  const { valueOf, withValue } = require('./imports.cjs');
  await load(file, withValue(text));
  process.once('beforeExit', () => finish(valueOf()));
};
const runScript = (name, file, text) => {
  prepareScript(file);
  // Newer ones of Node take a function only with a flag, and warn of what they take without one.
  const options = { filename: name, importModuleDynamically: vm.constants?.USE_MAIN_CONTEXT_DEFAULT_LOADER ?? ((specifier) => import(/^\.{0,2}\//.test(specifier) ? pathToFileURL(path.resolve(path.dirname(file), specifier)) : specifier)) };
  let script;
  let problem;
  try { script = new vm.Script(text, options); } catch (error) { problem = error; }
  // A script that returns runs inside a function, as in Node; its last expression has no value then.
  const values = { exports: main.exports, require: globalThis.require, module: main, __filename: file, __dirname: path.dirname(file) };
  let inside;
  if (problem?.message === 'Illegal return statement') {
    try { inside = vm.compileFunction(text, Object.keys(values), options); } catch (error) { problem = error; }
  }
  // A module may wait, but may not return; then nothing of it has run.
  const runInside = async (error) => {
    if (error?.message !== 'Illegal return statement') throw error;
    const waits = vm.compileFunction(`return (async () => {${text}\n})()`, Object.keys(values), options);
    await waits.apply(main.exports, Object.values(values));
  };
  if (inside !== undefined) inside.apply(main.exports, Object.values(values));
  else if (script === undefined && /\bawait\b/.test(text)) loadForValue(file, text).catch(runInside).catch((error) => raise(error, false));
  else if (script === undefined) raise(problem, false);
  else return script.runInThisContext();
  return undefined;
};
if (isSession) require('./session.cjs')({ Module, end: (ends) => { end = ends; }, fileOf, finish, isModule, load, prepareScript, raise, read, runScript, supplyModules, takeBackOwnFile, forgetResults });
else {
  const [program, name, ...args] = startedWith;
  const file = fileOf(name);
  let text;
  try { text = read(program, name); } catch (error) { raise(error, false); }
  process.argv = [node, file, ...args];
  if (isModule(name, text)) load(file, text).catch((error) => raise(error, false));
  else {
    const value = runScript(name, file, text);
    // What the program still waits for comes first.
    process.once('beforeExit', () => finish(value));
  }
}
