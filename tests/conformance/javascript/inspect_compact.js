// util.inspect with `compact: true`, and errors of files and sizes
const { inspect } = require('util');
const fs = require('fs');
console.log(inspect({ a: [1, 2, [3]] }, { compact: true, breakLength: Infinity }));
console.log(inspect({ a: [1, 2, [3]], b: 'x'.repeat(50), c: { d: { e: 1, f: 'y'.repeat(40) } } }, { compact: true, breakLength: 60 }));
console.log(inspect(new Map([[1, { a: 2 }]]), { compact: true }), inspect([], { compact: true }), inspect(Object.assign(function f() {}, { x: 1, long: 'z'.repeat(70) }), { compact: true }));
const loop = {};
loop.self = loop;
console.log(inspect(loop, { compact: true }));
fs.mkdirSync('folder');
for (const act of [() => fs.readFileSync('folder'), () => fs.readFileSync(5.5), () => Buffer.alloc(-1), () => Buffer.alloc('1'), () => Buffer.allocUnsafe(NaN)]) {
  try { act(); } catch (error) { console.log(error.name, error.code, error.syscall, error.path, error.message); }
}
