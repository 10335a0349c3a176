// Math.hypot to its last digit, and events at the end of the process
console.log(Array.from({ length: 40 }, (_, i) => Math.hypot(i * 0.137 + 0.01, 1.3)));
console.log(Math.hypot(), Math.hypot(-3), Math.hypot('3', 4), Math.hypot(NaN, Infinity), Math.hypot(1, NaN), Math.hypot(1e300, 1e300), Math.hypot(1e-300, 1e-300), Math.hypot(1, 2, 3), Math.hypot.length, Math.hypot.name);
process.on('beforeExit', (code) => console.log('before', code));
process.on('exit', (code) => console.log('exit', code));
void setTimeout(() => console.log('timer'), 1);
