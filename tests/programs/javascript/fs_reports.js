// files: folders, JSON, CSV, appending, streams, promises and errors
const fs = require('fs');
const fsp = require('node:fs/promises');
const path = require('path');
const os = require('os');
const { pipeline } = require('stream/promises');
const { Transform } = require('stream');
const readline = require('readline');

async function walk(folder) {
  const entries = await fsp.readdir(folder, { withFileTypes: true });
  const found = await Promise.all(entries.map((e) => { const full = path.join(folder, e.name); return e.isDirectory() ? walk(full) : full; }));
  return found.flat().sort();
}

async function main() {
  fs.mkdirSync('data/in/deep', { recursive: true });
  fs.writeFileSync('data/people.csv', 'name,age,city\nAnn,34,Rome\nBob,,Oslo\n"Cid, Jr.",51,"São Paulo"\n');
  fs.writeFileSync(path.join('data', 'in', 'a.json'), JSON.stringify({ ok: true, list: [1, 2] }, null, 2));
  fs.appendFileSync('data/in/deep/log.txt', 'first\n');
  await fsp.appendFile('data/in/deep/log.txt', 'second\n');
  console.log(await walk('data'), fs.existsSync('data/none'), fs.readdirSync('data'), fs.readdirSync('data', { recursive: true }).sort());
  const lines = fs.readFileSync('data/people.csv', 'utf8').trim().split('\n');
  const parse = (line) => [...line.matchAll(/("([^"]*)"|[^,]*)(,|$)/g)].slice(0, 3).map((m) => m[2] ?? m[1]);
  const [header, ...rows] = lines.map(parse);
  const people = rows.map((row) => Object.fromEntries(header.map((key, i) => [key, row[i] || null])));
  console.log(people);
  console.log(JSON.parse(await fsp.readFile('data/in/a.json', 'utf-8')).list, fs.readFileSync('data/in/a.json').length, fs.statSync('data/people.csv').size, fs.statSync('data').isDirectory());
  for (const act of [() => fs.readFileSync('missing.txt'), () => fs.mkdirSync('data'), () => fs.rmdirSync('data'), () => fs.readdirSync('data/people.csv'), () => fs.writeFileSync('no/such/dir.txt', ''), () => fs.readFileSync('data'), () => fs.renameSync('x', 'y'), () => fs.unlinkSync('gone'), () => fs.rmSync('gone'), () => fs.copyFileSync('x', 'y'), () => fs.openSync('data/people.csv', 'wx'), () => fs.readFileSync(5.5), () => fs.writeFileSync('x', undefined), () => fs.accessSync('nope'), () => path.join(1)]) {
    try { console.log('no error', act()); } catch (error) { console.log(error.name, error.code, error.errno, error.syscall, '|', error.message); }
  }
  await fsp.readFile('also/missing').catch((error) => console.log(error.message, Object.keys(error)));
  fs.readFile('missing', (error, data) => console.log('callback', error.code, data));
  await new Promise((done) => setTimeout(done, 5));
  await pipeline(fs.createReadStream('data/people.csv', { encoding: 'utf8', highWaterMark: 8 }), new Transform({ decodeStrings: false, transform(chunk, _, next) { next(null, chunk.toUpperCase()); } }), fs.createWriteStream('data/upper.csv'));
  console.log(fs.readFileSync('data/upper.csv', 'utf8'));
  let number = 0;
  for await (const line of readline.createInterface({ input: fs.createReadStream('data/upper.csv'), crlfDelay: Infinity })) console.log(++number, line);
  const fd = fs.openSync('data/bin', 'w+');
  fs.writeSync(fd, Buffer.from([1, 2, 3, 4, 5]));
  const buffer = Buffer.alloc(3);
  console.log(fs.readSync(fd, buffer, 0, 3, 1), buffer, fs.fstatSync(fd).size);
  fs.ftruncateSync(fd, 2);
  fs.closeSync(fd);
  fs.renameSync('data/bin', 'data/renamed');
  fs.copyFileSync('data/renamed', 'data/copied');
  fs.cpSync('data', 'backup', { recursive: true });
  console.log(fs.readFileSync('data/copied'), (await walk('backup')).length);
  fs.rmSync('backup', { recursive: true, force: true });
  console.log(fs.existsSync('backup'), fs.mkdtempSync(path.join(os.tmpdir(), 'x-')).length, os.EOL === '\n', process.cwd());
  console.log(path.parse('/a/b/c.tar.gz'), path.extname('x.test.js'), path.basename('/a/b.txt', '.txt'), path.resolve('a', '../b'), path.relative('/a/b/c', '/a/d'), path.normalize('/a//b/../c/.'), path.isAbsolute('a'), path.format({ dir: 'd', base: 'b' }), path.win32.join('a', 'b'), path.sep, path.dirname('/a/b/'));
  const handle = await fsp.open('data/handle.txt', 'a+');
  await handle.write('hello');
  console.log((await handle.stat()).size, (await handle.readFile('utf8')));
  await handle.close();
}
main();
