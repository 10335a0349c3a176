// exit handlers of a program that waits for ever get the code 13
// name = "main.mjs"
// only = "the driver of containers ends such a program before its own listeners"
// exit = 13
process.on('beforeExit', (code) => console.log('beforeExit', code));
process.on('exit', (code) => console.log('exit', code));
await new Promise(() => {});
