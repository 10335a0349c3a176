// process.exit leaves beforeExit out, and exit handlers get the code
// exit = 4
process.on('beforeExit', () => console.log('never'));
process.on('exit', (code) => { console.log('exit', code); process.on('exit', () => console.log('never')); });
process.exitCode = 4;
setTimeout(() => { console.log('timer'); process.exit(); }, 1);
