// How does a JavaScript program in a container run and end as it would in the guest?
//
// A script runs in the global scope, so that the value of its last expression is known; a module is imported from the workspace, where it
// lies while it runs.
//
//     driver.cjs PROGRAM NAME COMPLETION MOST ARGUMENT...

'use strict';
const fs = require('fs');
const path = require('path');
const util = require('util');
const vm = require('vm');
const Module = require('module');
const { pathToFileURL } = require('url');

const [node, , program, name, completion, most, ...args] = process.argv;
const WORKSPACE = '/work';
const { exit } = process;
const text = fs.readFileSync(program, 'utf8').replace(/^\ufeff/, '');
const file = path.join(WORKSPACE, path.basename(name));
process.argv = [node, file, ...args];

const isPlain = (value, holders = []) => {
  if (typeof value === 'string' || typeof value === 'boolean' || value === null) return true;
  if (typeof value === 'number') return Number.isFinite(value) && !Object.is(value, -0);
  if (typeof value !== 'object' || holders.length > 200 || holders.includes(value) || util.types.isProxy(value)) return false;
  const prototype = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== Array.prototype && prototype !== null) return false;
  return Object.values(value).every((item) => isPlain(item, [...holders, value]));
};
const tell = (told) => {
  try {
    const encoded = Buffer.from(JSON.stringify(told));
    if (encoded.length <= Number(most)) fs.writeFileSync(completion, encoded);
  } catch { /* whoever asked learns the exit code */ }
};
const finish = (value) => {
  if (util.types.isPromise(value)) {
    value.then(finish, () => {});
    return;
  }
  if (value === undefined) return;
  let json = null;
  try { if (isPlain(value)) json = JSON.stringify(value); } catch { /* as too deep */ }
  tell({ value: { json, text: util.inspect(value) } });
};
// Without the frames of this file, which are no part of the program.
const shown = (value) => util.inspect(value).split('\n').filter((line) => !line.includes(__filename) && !/^ +at .*node:(internal|vm)/.test(line)).join('\n');
const text_of = (make) => { try { return `${make()}`; } catch { return ''; } };
const raise = (error, isRejection) => {
  const isError = util.types.isNativeError(error);
  const kind = isError ? text_of(() => (error.name === 'Error' ? error.constructor.name : error.name)) : isRejection ? 'UnhandledPromiseRejection' : text_of(() => (error === null || error === undefined ? error : error.constructor.name));
  const message = isError ? text_of(() => error.message) : typeof error === 'string' ? error : text_of(() => util.inspect(error));
  const traceback = isError ? text_of(() => shown(error)) : isRejection ? `[UnhandledPromiseRejection: ... with the reason "${message}".]` : `Uncaught:\n${text_of(() => util.inspect(error))}`;
  fs.writeSync(2, `${traceback}\n`);
  tell({ exception: { kind, message, traceback } });
  exit(1);
};
process.on('uncaughtException', (error, origin) => raise(error, origin === 'unhandledRejection'));

const isModule = /\.m[jt]s$/.test(name) || /^\s*(import\s*[{*'"]|import\s+[\w$]|export\s*[{*]|export\s+\w)/m.test(text) || /\bimport\.meta\b/.test(text);
const load = async (source) => {
  let place = file.replace(/(\.[cm]?js)?$/, '.mjs');
  for (let number = 1; fs.existsSync(place); number += 1) place = path.join(WORKSPACE, `.main-${number}.mjs`);
  fs.writeFileSync(place, source);
  const remove = () => { try { fs.unlinkSync(place); } catch { /* the program was quicker */ } };
  process.on('exit', remove);
  process.argv[1] = place;
  try { return await import(pathToFileURL(place)); } finally { remove(); }
};
if (isModule) {
  load(text).catch((error) => raise(error, false));
} else {
  // Older ones of Node show it to modules alone.
  globalThis.crypto ??= require('crypto').webcrypto;
  const main = new Module(file, null);
  Object.assign(main, { id: '.', filename: file, paths: Module._nodeModulePaths(WORKSPACE) });
  process.mainModule = main;
  for (const [key, value] of Object.entries({ require: Module.createRequire(file), module: main, __filename: file, __dirname: WORKSPACE })) {
    Object.defineProperty(globalThis, key, { value, writable: true, configurable: true });
  }
  Object.defineProperty(globalThis, 'exports', { get: () => main.exports, set: (value) => { main.exports = value; }, configurable: true });
  globalThis.require.main = main;
  const options = { filename: name, importModuleDynamically: (specifier) => import(/^\.{0,2}\//.test(specifier) ? pathToFileURL(path.resolve(WORKSPACE, specifier)) : specifier) };
  let script;
  let problem;
  try { script = new vm.Script(text, options); } catch (error) { problem = error; }
  if (script === undefined && /\bawait\b/.test(text)) load(text).catch((error) => raise(error, false));
  else if (script === undefined) raise(problem, false);
  else {
    const value = script.runInThisContext();
    // What the program still waits for comes first.
    process.once('beforeExit', () => finish(value));
  }
}
