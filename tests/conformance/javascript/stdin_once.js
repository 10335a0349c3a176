// standard input: one chunk, and the end
// stdin = "42\n"
process.stdin.once('data', (data) => console.log('got', `${data}`.trim(), Buffer.isBuffer(data)));
process.stdin.once('end', () => console.log('end'));
process.stdin.on('close', () => console.log('close'));
console.log('reading');
