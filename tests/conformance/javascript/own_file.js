// a program can read its own text, and is the main module
const fs = require('fs');
const path = require('path');
const { createInterface } = require('readline');
const text = fs.readFileSync(__filename, 'utf8');
console.log(text.includes('is the main ' + 'module'), fs.existsSync(__filename), fs.statSync(__filename).isFile(), fs.statSync(__filename).size === Buffer.byteLength(text));
console.log(require.main === module, module.id, module.filename === __filename, path.dirname(__filename) === __dirname, process.argv[1] === __filename);
const descriptor = fs.openSync(__filename, 'r');
console.log(fs.readSync(descriptor, Buffer.alloc(4), 0, 4, null), fs.fstatSync(descriptor).size === text.length);
fs.closeSync(descriptor);
(async () => {
  let count = 0;
  for await (const line of createInterface({ input: fs.createReadStream(__filename) })) count++;
  console.log(count === text.trimEnd().split('\n').length);
})();
try { fs.readFileSync(`${__filename}.absent`); } catch (error) { console.log(error.code); }
