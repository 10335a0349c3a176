// modules of Node's own library: what they export, and what they say of wrong arguments
const path = require('path'), querystring = require('querystring'), util = require('util'), events = require('events'), zlib = require('zlib'), buffer = require('buffer');
const { Readable, compose, duplexPair } = require('stream');
const { StringDecoder } = require('string_decoder');
const said = (run) => { try { return run(); } catch (error) { return `${error.name} ${error.code} ${error.message}`; } };

console.log(path.win32.join('C:\\a', '..', 'b.txt'), path.posix === path, path.matchesGlob('a/b/c.js', 'a/**/*.js'), path.relative('/a/b', '/a/c/d'));
console.log(said(() => path.join(1)), said(() => path.basename('x', 2)));
console.log(querystring.stringify({ a: [1, 2], 'ü': 'ß', n: Infinity, b: true }), querystring.parse('a=1&a=2&%zz=%E4&=x'), querystring.unescapeBuffer('%41%zz').toString());
console.log(Buffer.from('héllo').toString('latin1'), Buffer.from('ff0', 'hex'), Buffer.alloc(5, 'ab'), Buffer.from('abcabc').lastIndexOf('c', -2), Buffer.concat([Buffer.from('a'), Buffer.from('b')], 5));
console.log(said(() => Buffer.alloc('1')), said(() => Buffer.from(5)), said(() => Buffer.alloc(4).readUInt32LE(1)), said(() => Buffer.alloc(2).writeUInt8(256, 0)), said(() => Buffer.alloc(1).fill('zz', 'hex')));
console.log(buffer.constants.MAX_STRING_LENGTH > 0, buffer.isUtf8(Buffer.from([0xc3])), Buffer.from('€').readIntBE(0, 3), Buffer.from([1, 2, 3, 4]).swap16());
console.log(new StringDecoder('utf8').write(Buffer.from([0xe2, 0x82])) === '', new StringDecoder('base64').end(Buffer.from('ab')), said(() => new StringDecoder('nope')));
console.log(util.inspect(util.parseArgs({ args: ['-f', '--bar', 'b'], options: { f: { type: 'boolean', short: 'f' }, bar: { type: 'string' } } })), util.types.isDate(new Date()), util.stripVTControlCharacters('\u001b[31mred\u001b[0m'));
console.log(util.isDeepStrictEqual(new Map([[{ a: 1 }, new Set([1])]]), new Map([[{ a: 1 }, new Set([1])]])), String(new util.MIMEType('text/html; charset=utf-8')), said(() => util.promisify(1)));
console.log(events.getEventListeners(new EventTarget(), 'x'), events.getMaxListeners(new events()), said(() => new events().on('x', 1)), said(() => new events().emit('error', new Error('mine'))));
console.log(zlib.crc32('hello'), zlib.inflateRawSync(zlib.deflateRawSync('raw', { level: 9 })).toString(), said(() => zlib.inflateSync(Buffer.from('garbage'))), said(() => zlib.gzipSync('x', { level: 99 })));
(async () => {
  const upper = compose(async function* (source) { for await (const chunk of source) yield `${chunk}`.toUpperCase(); });
  console.log(await Readable.from(['a', 'b']).compose(upper).toArray(), await Readable.from([1, 2, 3, 4]).filter((n) => n % 2).map((n) => n * 10).toArray());
  const [one, other] = duplexPair();
  one.end('through');
  console.log((await other.toArray()).join(''), await Readable.fromWeb(Readable.toWeb(Readable.from(['x', 'y']))).toArray());
  const emitter = new events();
  setImmediate(() => emitter.emit('now', 1, 2));
  console.log(await events.once(emitter, 'now'));
})();
