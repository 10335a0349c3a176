// Runs one of Node's own tests, which is named by the argument.
// Many ask for collections that prove nothing here.
globalThis.gc ??= () => {};
const file = process.argv[2];
process.on('exit', (code) => { if (code === 0) console.log('__passed__'); });
if (file.endsWith('.mjs')) import(file).catch((error) => { console.error(error); process.exit(1); });
else require(file);
