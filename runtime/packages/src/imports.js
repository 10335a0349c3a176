// Which modules does a program import?
//
// Runs in the sandbox; the program is on standard input, its name the only argument. Imports are seen to before anything of a program runs,
// so what they lack can be told before it.

import { readFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { imports, isAbsent } from 'glovebox:syntax';

let names = [];
try {
  names = imports(readFileSync(0, 'utf8'), process.argv[2]);
} catch {
  // The run itself says what is wrong.
}
console.log(JSON.stringify(names.map((name) => [name, 0, isBuiltin(name), isAbsent(name)])));
