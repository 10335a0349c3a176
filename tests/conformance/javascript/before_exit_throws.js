// an error in a listener of beforeExit is an uncaught one
// exit = 1
// raises = "Error"
// stderr = ["Error: too late"]
process.on('exit', (code) => console.log('exit', code));
process.on('beforeExit', () => { throw new Error('too late'); });
