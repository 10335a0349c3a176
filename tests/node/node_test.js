// A stand-in for `node:test` in Node's own tests: runs them one after another, and fails if one does.
'use strict';
const queue = [];
let isRunning = false;
const context = (name) => ({
  name, diagnostic() {}, skip() {}, todo() {}, after: (fn) => { hooks.at(-1).after.push(fn); }, before: (fn) => fn(), beforeEach: (fn) => { hooks.at(-1).beforeEach.push(fn); },
  afterEach: (fn) => { hooks.at(-1).afterEach.push(fn); }, test: (...values) => now(...values), assert: require('assert'), mock,
});
const level = () => ({ before: [], after: [], beforeEach: [], afterEach: [] });
const hooks = [level()];
const calls = (fn) => Object.assign(fn, { mock: fn.mock });
const mock = {
  fn(original = () => {}, implementation = original) {
    const record = { calls: [], callCount: () => record.calls.length };
    const wrapper = function (...values) {
      const call = { arguments: values, this: this };
      record.calls.push(call);
      try { return (call.result = implementation.apply(this, values)); } catch (error) { call.error = error; throw error; }
    };
    wrapper.mock = record;
    return calls(wrapper);
  },
  method(object, name, implementation) {
    const original = object[name];
    object[name] = mock.fn(original, implementation ?? original);
    object[name].mock.restore = () => { object[name] = original; };
    return object[name];
  },
  restoreAll() {}, reset() {},
};
const parse = (values) => {
  const name = typeof values[0] === 'string' ? values.shift() : '';
  const options = typeof values[0] === 'object' && values[0] !== null ? values.shift() : {};
  return { name, options, fn: values[0] ?? (() => {}) };
};
const call = (fn, argument) => (fn.length > 1 ? new Promise((resolve, reject) => { fn(argument, (error) => (error ? reject(error) : resolve())); }) : fn(argument));
const now = async (...values) => {
  const { name, options, fn } = parse(values);
  if (options.skip || options.todo) return;
  hooks.push(level());
  try {
    for (const one of hooks.slice(0, -1)) for (const hook of one.beforeEach) await hook();
    await call(fn, context(name));
    for (const one of hooks.slice(0, -1)) for (const hook of one.afterEach) await hook();
  } catch (error) {
    console.log(`not ok ${name}`, error);
    process.exitCode = 1;
  }
  for (const hook of hooks.pop().after) await hook();
};
const drain = async () => {
  if (isRunning) return;
  isRunning = true;
  await null;
  while (queue.length > 0) await queue.shift()();
  for (const hook of hooks[0].after.splice(0)) await hook();
  isRunning = false;
};
const test = (...values) => new Promise((resolve) => {
  queue.push(async () => { await now(...values); resolve(); });
  drain();
});
const describe = (...values) => {
  const { options, fn } = parse(values);
  if (options.skip || options.todo) return undefined;
  // What a suite declares is put in its place in the queue.
  queue.push(async () => {
    const rest = queue.splice(0);
    hooks.push(level());
    await fn(context(''));
    for (const hook of hooks.at(-1).before) await hook();
    while (queue.length > 0) await queue.shift()();
    for (const hook of hooks.pop().after) await hook();
    queue.push(...rest);
  });
  return drain();
};
const skipped = () => {};
for (const one of [test, describe]) Object.assign(one, { skip: skipped, todo: skipped, only: one });
const at = (kind) => (fn) => { hooks.at(-1)[kind].push(fn); };
module.exports = Object.assign(test, { test, it: test, describe, suite: describe, mock, before: at('before'), after: at('after'), beforeEach: at('beforeEach'), afterEach: at('afterEach') });
