// standard input: bytes that were not asked for stay for the next read
// only = "reading a pipe at once may fail with EAGAIN in Node"
// stdin = "hello\nworld\nlast line"
const fs = require('fs');
const byte = Buffer.alloc(1);
let line = '';
while (fs.readSync(0, byte, 0, 1, null) === 1 && byte[0] !== 10) line += byte.toString();
const four = Buffer.alloc(6, '.');
console.log(line, fs.readSync(0, four, 1, 4, null), four.toString());
console.log(JSON.stringify(fs.readFileSync(0, 'utf8')), fs.readSync(0, byte, 0, 1, null));
