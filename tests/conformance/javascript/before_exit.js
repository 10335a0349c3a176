// beforeExit comes again after each turn of the loop that its listeners began, and exit once at the end
// exit = 7
let rounds = 0;
process.on('exit', (code) => console.log('exit', code, process.exitCode));
process.once('exit', () => { process.exitCode = 7; });
process.on('beforeExit', (code) => {
  console.log('beforeExit', code, rounds);
  rounds++;
  if (rounds === 1) setTimeout(() => console.log('timer'), 1);
  if (rounds === 2) setImmediate(() => console.log('immediate'));
  // Neither of these is a turn of the loop.
  Promise.resolve().then(() => console.log('promise'));
  process.nextTick(() => console.log('tick'));
  setTimeout(() => console.log('never'), 60000).unref();
});
process.exitCode = 3;
console.log('main');
