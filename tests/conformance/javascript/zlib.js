// zlib: every format forth and back, at once, with a callback and as a stream; errors
const zlib = require('zlib');
const { pipeline } = require('stream/promises');
const { Readable } = require('stream');
const { promisify } = require('util');
const text = 'the quick brown fox '.repeat(500);
for (const [pack, unpack] of [['gzipSync', 'gunzipSync'], ['deflateSync', 'inflateSync'], ['deflateRawSync', 'inflateRawSync'], ['gzipSync', 'unzipSync'], ['deflateSync', 'unzipSync']]) {
  const packed = zlib[pack](text);
  console.log(pack, Buffer.isBuffer(packed), packed.length < 200, zlib[unpack](packed).toString() === text);
}

console.log(zlib.inflateSync(Buffer.from('789c4b040000620062', 'hex')).toString());
for (const [name, data] of [['gunzipSync', 'no gzip'], ['inflateSync', 'no zlib'], ['gunzipSync', zlib.gzipSync(text).subarray(0, 40)]]) {
  try { zlib[name](Buffer.from(data)); } catch (error) { console.log(error.name, error.code, error.errno, error.message); }
}
try { zlib.gzipSync(5); } catch (error) { console.log(error.name, error.code); }
try { zlib.gzipSync('x', { level: 10 }); } catch (error) { console.log(error.name, error.code); }
try { zlib.inflateSync(zlib.deflateSync(text), { maxOutputLength: 100 }); } catch (error) { console.log(error.code); }
console.log(zlib.gunzipSync(Buffer.concat([zlib.gzipSync('one '), zlib.gzipSync('two')])).toString(), zlib.constants.Z_BEST_COMPRESSION);
zlib.gzip(text, { level: 9 }, (error, packed) => {
  console.log(error, packed.length < 200);
  zlib.gunzip(packed, (failure, back) => {
    console.log(failure, back.toString() === text);
    zlib.gunzip(Buffer.from('bad'), async (problem) => {
      console.log(problem.code);
      console.log((await promisify(zlib.inflate)(await promisify(zlib.deflate)('promised'))).toString());
      const parts = [];
      await pipeline(Readable.from([text.slice(0, 3000), text.slice(3000)]), zlib.createGzip(), zlib.createGunzip(), async (source) => { for await (const part of source) parts.push(part); });
      console.log(Buffer.concat(parts).toString() === text);
      try { await pipeline(Readable.from(['bad']), zlib.createGunzip(), async (source) => { for await (const part of source) parts.push(part); }); } catch (error) { console.log(error.code, error.message); }
      const dictionary = Buffer.from('quick brown fox');
      console.log(zlib.inflateSync(zlib.deflateSync('the quick brown fox', { dictionary }), { dictionary }).toString());
    });
  });
});
