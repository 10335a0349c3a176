//! JavaScript session: how does state last from one program to the next?
//!
//! A script is evaluated as in the console of a browser, by V8's own mode for that: `const`, `let`
//! and `class` may come again, and `await` needs no function. An evaluation is over when nothing is
//! left that it waits for. An interrupt breaks a script that computes, and ends one that waits.

'use strict';
const fs = require('fs');
const inspector = require('inspector');
const net = require('net');
const util = require('util');
const vm = require('vm');
const { scriptOf } = require('./imports.cjs');

const WORKSPACE = '/work';
const PROGRAM = '/program';
const [REQUESTS, REPLIES] = [6, 7];
const STEP = Symbol('step');
const VALUE = Symbol('value');
const EXITED = Symbol('exited');

module.exports = (driver) => {
  const { writeSync, readFileSync, readSync, openSync, closeSync } = fs;
  const requests = new net.Socket({ fd: REQUESTS, readable: true, writable: false });
  const console = new inspector.Session();
  console.connect();
  const post = (method, parameters) => {
    let answer;
    console.post(method, parameters, (error, result) => {
      if (error) throw Object.assign(new Error(error.message), error);
      answer = result;
    });
    return answer;
  };

  // The values of the console are references; a function of ours that it calls gets the value itself.
  let handed;
  Object.defineProperty(globalThis, VALUE, { value: (value) => { handed = value; } });
  Object.defineProperty(globalThis, STEP, { value: undefined, writable: true });
  const own = vm.runInThisContext('(symbol) => (value) => globalThis[symbol](value)')(VALUE);
  Object.defineProperty(globalThis, 'gloveboxTake', { value: own, configurable: true });
  const { objectId: take } = post('Runtime.evaluate', { expression: 'gloveboxTake' }).result;
  delete globalThis.gloveboxTake;
  const valueOf = ({ objectId, value, unserializableValue, type }) => {
    if (type === 'undefined') return undefined;
    if (objectId === undefined && unserializableValue === undefined) return value;
    const argument = objectId === undefined ? { unserializableValue } : { objectId };
    post('Runtime.callFunctionOn', { objectId: take, functionDeclaration: 'function (value) { this(value); }', arguments: [argument] });
    const found = handed;
    handed = undefined;
    return found;
  };

  // Timers of an evaluation that was interrupted must not go on in the next one.
  const timers = new Set();
  for (const [name, clear] of [['setTimeout', clearTimeout], ['setInterval', clearInterval], ['setImmediate', clearImmediate]]) {
    const real = globalThis[name];
    const kept = (...values) => {
      const timer = real(...values);
      timers.add([new WeakRef(timer), clear]);
      return timer;
    };
    Object.defineProperty(kept, 'name', { value: name });
    kept[util.promisify.custom] = real[util.promisify.custom];
    globalThis[name] = kept;
  }

  // The standard input of each evaluation is a file of its own.
  let input = null;
  let stdin;
  const isInput = (place) => place === 0 || place === '/dev/stdin';
  fs.readFileSync = (place, ...options) => readFileSync(isInput(place) ? `${PROGRAM}/.input` : place, ...options);
  fs.readSync = (place, ...values) => readSync(place === 0 ? input : place, ...values);
  Object.defineProperty(process, 'stdin', { get: () => (stdin ??= fs.createReadStream(`${PROGRAM}/.input`)), configurable: true });

  let number = null;
  const over = (code) => {
    if (number === null) return;
    const ended = number;
    number = null;
    process.exitCode = undefined;
    driver.forgetResults();
    timers.clear();
    driver.takeBackOwnFile();
    requests.ref();
    writeSync(REPLIES, `${ended} ${code & 255}\n`);
  };
  const { exit } = process;
  driver.end(over);
  process.exit = (code) => {
    if (number === null) exit(code);
    over(Number(code ?? process.exitCode ?? 0));
    throw EXITED;
  };
  const interrupted = () => {
    const error = new Error('the evaluation was interrupted');
    error.stack = `Error: ${error.message}`;
    return error;
  };
  const raise = (error) => {
    if (error?.code === 'ERR_SCRIPT_EXECUTION_INTERRUPTED') driver.raise(interrupted(), false);
    else if (error !== EXITED) driver.raise(error, false);
  };
  process.removeAllListeners('uncaughtException');
  process.on('uncaughtException', (error, origin) => { if (error !== EXITED) driver.raise(error, origin === 'unhandledRejection'); });
  process.on('SIGINT', () => {
    if (number === null) return;
    for (const [timer, clear] of timers) clear(timer.deref());
    for (const handle of process._getActiveHandles()) if (handle !== requests && handle.fd !== 1 && handle.fd !== 2) handle.destroy?.();
    raise(interrupted());
  });

  // An interrupt breaks what runs inside this script.
  const step = new vm.Script('globalThis[Symbol.for("glovebox.step")]()', { filename: 'glovebox-step' });
  const breakable = (run) => {
    Object.defineProperty(globalThis, Symbol.for('glovebox.step'), { value: run, configurable: true });
    return step.runInThisContext({ breakOnSigint: true, displayErrors: false });
  };
  let value;
  let isUnsettled = false;
  const settle = (answer) => {
    isUnsettled = false;
    if (answer.exceptionDetails) {
      raise('exception' in answer.exceptionDetails ? valueOf(answer.exceptionDetails.exception) : new Error(answer.exceptionDetails.text));
    } else value = valueOf(answer.result);
  };
  const evaluate = (name, text) => {
    driver.prepareScript(driver.fileOf(name));
    const expression = `${text}\n//# sourceURL=${encodeURI(name)}`;
    isUnsettled = true;
    let isBroken = true;
    let problem;
    const answered = (error, answer) => {
      if (!error) settle(answer);
      // An interrupt is an error of the console as well, besides that of the script around it.
      else if (isBroken) problem = error;
      else raise(new Error(error.message));
    };
    breakable(() => console.post('Runtime.evaluate', { expression, replMode: true, awaitPromise: false }, answered));
    isBroken = false;
    if (problem) raise(new Error(problem.message));
  };
  process.on('beforeExit', () => {
    if (number === null) return;
    // As Node ends with a top-level `await` that nothing can settle.
    if (isUnsettled) {
      writeSync(2, 'Warning: Detected unsettled top-level await\n');
      over(13);
      return;
    }
    const found = value;
    value = undefined;
    driver.finish(found);
    // A promise that is settled has told its value by then.
    process.nextTick(() => setImmediate(() => over(Number(process.exitCode ?? 0))));
  });

  const begin = (which) => {
    number = which;
    requests.unref();
    try {
      const [program, name, ...args] = readFileSync(`${PROGRAM}/.arguments`, 'utf8').split('\0').slice(0, -1);
      if (input !== null) closeSync(input);
      input = openSync(`${PROGRAM}/.input`);
      stdin = undefined;
      value = undefined;
      isUnsettled = false;
      process.chdir(WORKSPACE);
      process.argv = [process.argv[0], driver.fileOf(name), ...args];
      const text = driver.read(`${PROGRAM}/${program}`, name);
      const script = scriptOf(text, driver.fileOf(name));
      if (script) {
        isUnsettled = true;
        driver.supplyModules();
        script().then((made) => { if (number === which) evaluate(name, made); }).catch(raise);
      } else if (driver.isModule(name, text)) driver.load(driver.fileOf(name), text).catch(raise);
      else if (/\bimport\s*\(/.test(text)) value = breakable(() => driver.runScript(name, driver.fileOf(name), text));
      else evaluate(name, text);
    } catch (error) {
      raise(error);
    }
  };
  let pending = '';
  requests.on('data', (chunk) => {
    pending += chunk;
    const lines = pending.split('\n');
    pending = lines.pop();
    for (const line of lines) begin(line);
  });
  requests.on('end', () => exit(0));
  writeSync(REPLIES, '0 0\n');
};
