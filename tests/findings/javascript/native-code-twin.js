// expect:
import fs from 'node:fs';
const key = { binding: (name) => name, dlopen: 1 };
console.log(key.binding('fs'), fs.constants, 'addon.node', process.version);
