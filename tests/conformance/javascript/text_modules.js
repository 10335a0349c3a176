// querystring, string_decoder, timers/promises, stream/consumers
const querystring = require('querystring');
const { StringDecoder } = require('string_decoder');
const { setTimeout: sleep, setImmediate: soon, setInterval: every } = require('timers/promises');
const consumers = require('stream/consumers');
const { Readable } = require('stream');
console.log({ ...querystring.parse('a=1&b=2&a=3&c=%20x+y&d&=e') }, querystring.stringify({ a: [1, 2], b: 'x y&', c: true, d: null, e: NaN }));
console.log({ ...querystring.parse('a:1;b:2', ';', ':') }, querystring.escape('ä b'), querystring.unescape('%C3%A4%zz'), querystring.stringify({ a: 1 }, ';', ':'), querystring.stringify('text'));
for (const [encoding, text] of [['utf8', '語😀é'], ['utf16le', 'a😀'], ['base64', 'any carnal'], ['hex', 'xyz'], ['latin1', 'é']]) {
  const bytes = encoding === 'utf16le' ? Buffer.from(text, 'utf16le') : Buffer.from(text);
  const decoder = new StringDecoder(encoding);
  let out = '';
  for (const byte of bytes) out += decoder.write(Buffer.from([byte]));
  console.log(encoding, out + decoder.end());
}
const cut = new StringDecoder('utf8');
console.log(cut.write(Buffer.from([0xe8, 0xaa])) === '', JSON.stringify(cut.end()));
(async () => {
  console.log(await sleep(1, 'slept'), await soon('soon'));
  let count = 0;
  for await (const value of every(1, 'tick')) { console.log(value); if (++count === 2) break; }
  const controller = new AbortController();
  const waiting = sleep(10000, null, { signal: controller.signal });
  controller.abort();
  try { await waiting; } catch (error) { console.log(error.name, error.code, error.message); }
  try { await sleep(1, null, { signal: AbortSignal.abort() }); } catch (error) { console.log(error.name); }
  console.log(await consumers.text(Readable.from(['a', 'b'])), await consumers.json(Readable.from(['{"a":', '1}'])), (await consumers.buffer(Readable.from([Buffer.from('x')]))).length);
})();
