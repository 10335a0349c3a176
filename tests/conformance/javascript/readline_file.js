// readline over the stream of a file and over standard input
// stdin = "first\r\nsecond\nthird"
const fs = require('fs');
const readline = require('readline');
const { once } = require('events');
const { Readable } = require('stream');
fs.writeFileSync('in.txt', 'alpha\nbeta\r\n\ngamma');
(async () => {
  for (const options of [{}, { crlfDelay: Infinity }]) {
    const lines = [];
    for await (const line of readline.createInterface({ input: fs.createReadStream('in.txt'), ...options })) lines.push(line);
    console.log(lines);
  }
  const rl = readline.createInterface({ input: fs.createReadStream('in.txt', { highWaterMark: 3 }) });
  const seen = [];
  rl.on('line', (line) => seen.push(line)).on('close', () => seen.push('closed'));
  await once(rl, 'close');
  console.log(seen);
  const some = readline.createInterface({ input: Readable.from(['a\nb', 'c\nd\n']) });
  for await (const line of some) { console.log(line); if (line === 'bc') break; }
  const stopped = readline.createInterface(fs.createReadStream('in.txt'));
  stopped.on('line', (line) => { console.log('only', line); stopped.close(); stopped.removeAllListeners('line'); });
  await once(stopped, 'close');
  const input = readline.createInterface({ input: process.stdin });
  let number = 0;
  for await (const line of input) console.log(++number, line);
  console.log('end');
})();
