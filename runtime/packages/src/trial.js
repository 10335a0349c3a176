// Which built-in module do packages need that this engine lacks?
//
// Runs in the sandbox, where the packages can be imported; what to import is on standard input. The answer is the last line of the
// output.

import { readFileSync } from 'node:fs';
import { isAbsent } from 'glovebox:syntax';

const { modules, packages } = JSON.parse(readFileSync(0, 'utf8'));
const print = console.log.bind(console);
const text = JSON.stringify;
const MODULE = /cannot find module '(?:node:)?([^']+)'/;
let answer = null;
for (const importer of [...modules, ...packages]) {
  try {
    await import(importer);
  } catch (error) {
    const module = MODULE.exec(String(error?.message))?.[1];
    if (module === undefined || !isAbsent(module)) continue;
    answer = { module, part: null, importer };
    break;
  }
}
print('\n' + text(answer));
