// a script may return; lines keep their numbers
const x = 5;
console.log(typeof exports, typeof module, __filename.endsWith('.js'), typeof arguments, this === module.exports);
function line() { return Number(/:(\d+):\d+\)?$/m.exec(new Error().stack.split('\n')[1])[1]); }
console.log(line());
if (x > 3) { console.log('big'); return; }
console.log('small');
