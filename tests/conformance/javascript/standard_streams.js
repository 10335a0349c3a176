// process.stdout and process.stderr are streams
// only = "Node writes to a pipe by another stream than to a file"
// stderr = ["ended", "length 16"]
const { Readable, Transform, Writable } = require('stream');
const { setTimeout: sleep } = require('timers/promises');
const { stdout, stderr } = process;
(async () => {
  for (const stream of [stdout, stderr]) console.log(stream instanceof Writable, stream instanceof require('events'), stream.writable, stream.writableLength, stream.writableEnded, stream.fd);
  console.log(stdout.write('text\n'), stdout.write(Buffer.from('buffer\n')), stdout.write(new Uint8Array([65, 10])));
  await new Promise((resolve) => stdout.write('68657861646563696d616c0a', 'hex', resolve));
  await new Promise((resolve) => stdout.write('only a callback\n', (error) => { console.log(error); resolve(); }));
  for (const chunk of [null, 5, {}]) try { stdout.write(chunk); } catch (error) { console.log(error.code, error.message); }
  const upper = new Transform({ transform(chunk, encoding, callback) { callback(null, `${chunk}`.toUpperCase()); } });
  await require('stream/promises').pipeline(Readable.from(['one\n', 'two\n']), upper, stdout);
  await sleep(5);
  Readable.from(['piped\n']).on('end', () => console.log('source ended')).pipe(stdout);
  await sleep(5);
  stdout.cork();
  stdout.write('corked 1\n');
  stdout.write('corked\n');
  console.error('length', stdout.writableLength);
  stdout.uncork();
  const seen = [], { write } = stdout;
  stdout.write = function (chunk, ...rest) { seen.push(chunk); return true; };
  console.log('kept %d', 1);
  console.group();
  console.table([{ a: 1 }]);
  console.groupEnd();
  console.error('ended');
  stdout.write = write;
  console.log(seen);
  stdout.on('finish', () => console.error('finished'));
  stdout.end('last\n');
  await sleep(5);
  stdout.write('after the end\n');
})();
