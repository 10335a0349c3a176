// errors that callbacks and events of files get have no frames
const fs = require('fs');
fs.readFile('missing.txt', (error) => {
  console.log(error.stack, error instanceof Error);
  console.log(error);
  fs.readdir('missing', (failure) => console.log({ failure }));
});
fs.createReadStream('absent.txt').on('error', (error) => console.log(error));
try { fs.readFileSync('sync.txt'); } catch (error) { console.log(/\n    at /.test(error.stack), error.message); }
