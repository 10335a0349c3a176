// Buffers, typed arrays, hashes, encodings and random
const crypto = require('crypto');
const assert = require('node:assert/strict');
const { TextEncoder: Encoder } = require('util');

const text = 'Hello, Wörld! 😀';
const buffer = Buffer.from(text);
for (const encoding of ['hex', 'base64', 'base64url', 'latin1', 'ascii', 'utf16le', 'binary']) console.log(encoding, buffer.toString(encoding === 'utf16le' ? 'hex' : encoding).slice(0, 40), Buffer.from(text, encoding).length);
console.log(buffer.length, text.length, buffer.slice(7, 13).toString(), buffer.subarray(-4), buffer.indexOf('W'), buffer.includes('xyz'), Buffer.byteLength(text), buffer.equals(Buffer.from(text)), Buffer.compare(Buffer.from('a'), Buffer.from('b')));
const packet = Buffer.alloc(16);
packet.writeUInt16BE(0xbeef, 0); packet.writeInt32LE(-5, 2); packet.writeDoubleBE(Math.PI, 6); packet.writeUInt8(255, 14);
console.log(packet, packet.readUInt16BE(0).toString(16), packet.readInt32LE(2), packet.readDoubleBE(6), packet.toJSON().data.length, packet.swap16().slice(0, 2));
console.log(Buffer.concat([Buffer.from([1, 2]), Buffer.from('ab')]), Buffer.from([256, -1, 3.7]), Buffer.alloc(3, 'ab'), Buffer.from('zz', 'hex'), Buffer.from('aGk=', 'base64').toString(), [...Buffer.from('hi')], Buffer.isBuffer(new Uint8Array(1)), buffer.fill(0, 0, 2).readUInt8(1));
try { packet.readUInt32LE(14); } catch (error) { console.log(error.name, error.code, error.message); }
try { Buffer.from(5); } catch (error) { console.log(error.name, error.code, error.message); }
try { Buffer.alloc(-1); } catch (error) { console.log(error.code, error.message); }
for (const algorithm of ['md5', 'sha1', 'sha256', 'sha384', 'sha512']) console.log(algorithm, crypto.createHash(algorithm).update('abc').update(Buffer.from('def')).digest('hex').slice(0, 32));
console.log(crypto.createHmac('sha256', 'key').update('data').digest('base64'), crypto.pbkdf2Sync('pw', 'salt', 1000, 16, 'sha256').toString('hex'), crypto.scryptSync('pw', 'salt', 16, { N: 1024 }).toString('hex'), crypto.randomBytes(8).length, crypto.randomUUID().length, crypto.timingSafeEqual(Buffer.from('a'), Buffer.from('a')), crypto.randomInt(5, 6));
const key = crypto.createHash('sha256').update('secret').digest(), iv = Buffer.alloc(16, 1);
const cipher = crypto.createCipheriv('aes-256-cbc', key, iv);
const secret = cipher.update('attack at dawn', 'utf8', 'hex') + cipher.final('hex');
const decipher = crypto.createDecipheriv('aes-256-cbc', key, iv);
console.log(secret, decipher.update(secret, 'hex', 'utf8') + decipher.final('utf8'));
const gcm = crypto.createCipheriv('aes-256-gcm', key, Buffer.alloc(12));
console.log(Buffer.concat([gcm.update('x'), gcm.final()]), gcm.getAuthTag());
try { crypto.createHash('nothing'); } catch (error) { console.log(error.message); }
try { const d = crypto.createDecipheriv('aes-256-cbc', key, iv); d.update('00', 'hex'); d.final(); } catch (error) { console.log(error.code, error.message); }
const floats = new Float32Array([0.1, 1e10, -0]), view = new DataView(floats.buffer);
console.log(floats, view.getFloat32(0, true), view.getUint8(3), new Uint8ClampedArray([300, -5, 1.5]), new Int16Array(new Uint8Array([1, 2, 3, 4]).buffer), new Uint8Array([3, 1, 2]).sort().join(), Uint8Array.from([1, 2], (x) => x * 2), new BigInt64Array(1), new Uint16Array([1, 2, 3]).subarray(1).map((x) => x * 1000));
console.log(new Encoder().encode('é€'), new TextDecoder('utf-16le').decode(new Uint8Array([104, 0, 105, 0])), new TextDecoder().decode(new Uint8Array([0xff, 65])), new TextDecoder('latin1').decode(new Uint8Array([0xe9])));
try { new TextDecoder('utf-8', { fatal: true }).decode(new Uint8Array([0xff])); } catch (error) { console.log(error.name, error.code, error.message); }
crypto.subtle.digest('SHA-256', new Encoder().encode('abc')).then((d) => console.log(Buffer.from(d).toString('hex').slice(0, 16), d));
assert.deepEqual({ a: [1] }, { a: [1] });
try { assert.equal(1, 2, 'not the same'); } catch (error) { console.log(error.name, error.code, error.message, error.actual); }
try { assert.deepStrictEqual({ a: 1, b: [1, 2] }, { a: 1, b: [1, 3] }); } catch (error) { console.log(error.message); }
function crc32(data) { let crc = ~0; for (const byte of data) { crc ^= byte; for (let k = 0; k < 8; k++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1; } return (~crc >>> 0).toString(16); }
const zlib = require('zlib');
console.log(crc32(Buffer.from('123456789')), zlib.gunzipSync(zlib.gzipSync('zip me')).toString(), zlib.inflateSync(zlib.deflateSync(Buffer.alloc(1000))).length, zlib.crc32('123456789').toString(16));
