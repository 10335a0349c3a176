// standard input: through a pipeline to standard output
// stdin = "a b\nc\n"
const { Transform } = require('stream');
const upper = new Transform({ transform(chunk, encoding, done) { done(null, chunk.toString().toUpperCase()); } });
process.stdin.pipe(upper).pipe(process.stdout);
process.stdin.on('end', () => console.log('all read'));
console.log('reading');
