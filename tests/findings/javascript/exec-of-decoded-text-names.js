// expect: exec-of-decoded-text:11 exec-of-decoded-text:12 exec-of-decoded-text:16 exec-of-decoded-text:17 exec-of-decoded-text:18
const vm = require('node:vm');
const zlib = require('zlib');
const payload = 'Y29uc29sZS5sb2coMSk=';
const decode = (text) => Buffer.from(text, 'base64').toString('utf8');

function unpack(text) {
  return zlib.inflateSync(Buffer.from(text, 'hex')).toString();
}

vm.runInThisContext(decode(payload));
(0, eval)(unpack('789c4bce'));
const run = eval;
let code = '';
code += atob(payload);
run(code);
globalThis['ev' + 'al'](decode(payload));
await import(`data:text/javascript;base64,${payload}`);
