// node:fs: what wrong arguments and absent files are called, trees, promises, flags
const fs = require('fs'), path = require('path'), { promises } = fs;
const said = (run) => { try { return run(); } catch (error) { return `${error.name} ${error.code} ${error.message}`; } };
const root = fs.mkdtempSync('tree-');
const at = (...parts) => path.join(root, ...parts);
fs.mkdirSync(at('a/b/c'), { recursive: true });
fs.writeFileSync(at('a/one.txt'), 'one');
fs.writeFileSync(at('a/b/two.md'), 'two');
fs.symlinkSync('one.txt', at('a/link'));
const clean = (text) => `${text}`.replaceAll(root, 'ROOT').replaceAll(process.cwd(), 'CWD');

console.log(said(() => fs.readFileSync(5.5)), said(() => fs.openSync('x', 'no')), said(() => fs.writeFileSync('x', 5)), said(() => fs.mkdirSync('')), said(() => fs.readdirSync('absent')));
console.log(said(() => fs.closeSync('1')), said(() => fs.closeSync(999)), said(() => fs.readSync(999, Buffer.alloc(1))), said(() => fs.statSync('absent', { throwIfNoEntry: false })), said(() => fs.accessSync('a\0b')));
console.log(clean(fs.readdirSync(root, { recursive: true }).sort()), fs.readdirSync(at('a'), { withFileTypes: true }).map((entry) => [entry.name, entry.isFile(), entry.isDirectory(), entry.isSymbolicLink()]));
console.log(fs.globSync('**/*.{txt,md}', { cwd: root }).sort(), fs.readlinkSync(at('a/link')), fs.lstatSync(at('a/link')).isSymbolicLink(), fs.statSync(at('a/link')).size, clean(fs.realpathSync(at('a/link'))));
fs.cpSync(at('a'), at('copy'), { recursive: true });
console.log(fs.readFileSync(at('copy/b/two.md'), 'utf8'), clean(said(() => fs.cpSync(at('a'), at('other')))), clean(said(() => fs.rmSync(at('a')))), clean(said(() => fs.rmdirSync(at('a')))));
const fd = fs.openSync(at('rw'), 'w+');
console.log(fs.writeSync(fd, 'hello'), fs.writeSync(fd, Buffer.from('XY'), 0, 1, 1), fs.writevSync(fd, [Buffer.from('1'), Buffer.from('2')]), fs.fstatSync(fd, { bigint: true }).size);
const parts = [Buffer.alloc(3), Buffer.alloc(3)];
console.log(fs.readvSync(fd, parts, 0), String(Buffer.concat(parts)), fs.ftruncateSync(fd, 2), fs.readFileSync(at('rw'), 'latin1'), fs.closeSync(fd));
(async () => {
  const handle = await promises.open(at('lines'), 'a+');
  await handle.appendFile('x\ny\n');
  console.log(await handle.readFile('utf8'), (await handle.stat()).size);
  await handle.close();
  console.log(handle.fd, await promises.stat('absent').catch((error) => error.message), await promises.writeFile(at('i'), (function* () { yield 'p'; yield 'q'; })()), await promises.readFile(at('i'), { encoding: 'utf8' }));
  const file = await promises.open(at('lines'));
  for await (const line of file.readLines()) console.log(line);
  for await (const entry of await promises.opendir(root)) if (entry.name === 'i') console.log(entry.name, entry.isFile());
  fs.readFile(at('absent'), (error) => console.log(clean(error.message), error.errno, error.syscall));
  fs.createReadStream(at('i'), { start: 1 }).on('data', (chunk) => console.log(chunk)).on('close', () => { fs.rmSync(root, { recursive: true }); console.log(fs.existsSync(root)); });
})();
