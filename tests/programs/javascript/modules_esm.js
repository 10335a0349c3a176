// ES modules: imports of built-ins, dynamic import, top-level await, import.meta
// files = { "lib/math.js" = "export const square = (x) => x * x;\nexport default class Counter { count = 0; next() { return ++this.count; } }\nexport { square as sq };\n", "lib/state.mjs" = "export let value = 1;\nexport function bump() { value += 1; }\n", "lib/old.cjs" = "exports.name = 'commonjs'; exports.deps = require('path').sep;\n", "data.json" = "{\"list\": [1, 2, 3]}", "package.json" = "{\"type\": \"module\"}" }
import { readFile, writeFile } from 'node:fs/promises';
import path, { join } from 'node:path';
import * as util from 'node:util';
import EventEmitter from 'node:events';
import Counter, { square, sq } from './lib/math.js';
import * as state from './lib/state.mjs';
import old from './lib/old.cjs';
import data from './data.json' with { type: 'json' };

console.log(square(5), sq === square, new Counter().next());
state.bump();
console.log(state.value, state);
console.log(old, data.list.length);
const lazy = await import('./lib/math.js');
console.log(lazy, lazy.default === Counter);
try { await import('./lib/missing.js'); } catch (error) { console.log(error.code, error.name); }
try { await import('no-such-package-at-all'); } catch (error) { console.log(error.code, error.name); }
try { state.value = 5; } catch (error) { console.log(error.name); }
await writeFile('out.txt', 'written');
console.log(await readFile(join('.', 'out.txt'), 'utf8'), path.basename(import.meta.url), import.meta.filename?.endsWith(path.basename(import.meta.url)), import.meta.dirname);
console.log(util.format('%s:%d', 'x', 1), typeof require, typeof module, typeof __dirname, this === undefined, new EventEmitter() instanceof EventEmitter);
const results = await Promise.all([1, 2, 3].map(async (n) => n * (await Promise.resolve(2))));
console.log(results, import.meta.resolve?.('./lib/math.js').endsWith('/lib/math.js'));
export const answer = 42;
