// Which modules does a program import?
//
// Runs in the sandbox; the program is on standard input, its name the only argument, its own files lie in the workspace. Imports are seen to
// before anything of a program runs, so what they lack can be told before it. What `require` and `import()` ask for may never be
// reached, and so may be what its own files import: what these lack is a reason for another tier, and no more.

import { readFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { dirname, join } from 'node:path';
import { imports, isAbsent } from 'glovebox:syntax';

const MOST_FILES = 100;
const ENDINGS = ['', '.js', '.mjs', '.cjs', '.ts', '.mts', '.cts', '/index.js', '/index.ts'];

const orNone = (make) => { try { return make(); } catch { return []; } };
// Neither in comments and texts, nor where a failure is expected.
const later = (text) => [...text.matchAll(/\/\*[^]*?\*\/|\/\/[^\n]*|\b(?:require|import)\s*\(\s*(['"`])([^'"`\n$]+)\1\s*\)|'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*"|`(?:[^`\\]|\\.)*`/g)]
  .filter(({ 2: name, index }) => name !== undefined && !/\btry\s*\{[^}]*$/.test(text.slice(Math.max(0, index - 300), index)))
  .map(([, , name]) => name);
// A module that is here in part is a reason for another tier, and no more.
const isPart = (name) => isBuiltin(name) && isAbsent(name);
const found = (names, isFirst) => names.map((name) => [name, 0, isBuiltin(name) && !isAbsent(name), isAbsent(name), isFirst && !isPart(name), name]);

const text = readFileSync(0, 'utf8');
const main = process.argv[2];
const first = orNone(() => imports(text, main));
const further = later(text);
const answer = [...found(first, true), ...found(further, false)];

// Its own files, and those that they import.
const known = new Set();
const waiting = [...first, ...further].map((name) => [name, main]);
while (waiting.length > 0 && known.size < MOST_FILES) {
  const [name, from] = waiting.pop();
  if (!/^\.{0,2}\//.test(name)) continue;
  for (const ending of ENDINGS) {
    const path = join(dirname(from), name) + ending;
    if (known.has(path)) break;
    let own;
    try { own = readFileSync(path, 'utf8'); } catch { continue; }
    known.add(path);
    const names = [...orNone(() => imports(own, path)), ...later(own)];
    answer.push(...found(names, false));
    waiting.push(...names.map((more) => [more, path]));
    break;
  }
}
console.log(JSON.stringify(answer));
