// streams of files: characters stay whole, errors are events, ranges, order of events
const fs = require('fs');
const { pipeline } = require('stream/promises');
const { once } = require('events');
const all = async (stream) => { const parts = []; for await (const part of stream) parts.push(part); return parts; };

(async () => {
  fs.writeFileSync('wide.txt', 'x' + '語😀'.repeat(3000));
  for (const options of ['utf8', { encoding: 'utf8', highWaterMark: 5 }, { encoding: 'utf-8', start: 1, end: 7 }]) {
    const text = (await all(fs.createReadStream('wide.txt', options))).join('');
    console.log(text.length, text.includes('\ufffd'));
  }
  let text = '';
  const later = fs.createReadStream('wide.txt', { highWaterMark: 7 });
  later.setEncoding('utf8');
  later.on('data', (part) => { text += part; });
  await once(later, 'end');
  console.log(text.length, text.includes('\ufffd'), later.bytesRead);

  console.log((await all(fs.createReadStream('wide.txt', { start: 0, end: 9, highWaterMark: 4 }))).map((part) => part.length));
  for (const make of [() => fs.createReadStream('absent.txt'), () => fs.createWriteStream('absent/file.txt')]) {
    const stream = make();
    stream.on('close', () => console.log('closed'));
    const [error] = await once(stream, 'error');
    console.log(error.code, error.syscall, error.path, stream.destroyed);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  try { await pipeline(fs.createReadStream('absent.txt'), fs.createWriteStream('copy.txt')); } catch (error) { console.log(error.code); }
  try { await all(fs.createReadStream('absent.txt')); } catch (error) { console.log(error.code); }

  const events = [];
  const out = fs.createWriteStream('out.txt');
  for (const name of ['open', 'ready', 'finish', 'close']) out.on(name, () => events.push(name));
  console.log(out.write('one\n'), out.path);
  out.end('two\n', () => events.push('ended'));
  await once(out, 'close');
  console.log(events, out.bytesWritten, fs.readFileSync('out.txt', 'utf8'));

  const more = fs.createWriteStream('out.txt', { flags: 'a' });
  more.end('three\n');
  await once(more, 'finish');
  const middle = fs.createWriteStream('out.txt', { flags: 'r+', start: 4 });
  middle.end('TWO');
  await once(middle, 'close');
  await pipeline(fs.createReadStream('out.txt'), fs.createWriteStream('copy.txt'));
  console.log(fs.readFileSync('copy.txt', 'utf8').split('\n'));
  const shown = fs.createReadStream('copy.txt');
  shown.pipe(process.stdout);
  await once(shown, 'end');
  const handle = await fs.promises.open('copy.txt');
  for await (const line of handle.readLines()) console.log('>', line);
  console.log(fs.createReadStream('copy.txt') instanceof fs.ReadStream, out instanceof fs.WriteStream);
  try { fs.createReadStream('copy.txt', { start: 5, end: 2 }); } catch (error) { console.log(error.code); }
  try { fs.createReadStream(undefined); } catch (error) { console.log(error.code); }
})();
