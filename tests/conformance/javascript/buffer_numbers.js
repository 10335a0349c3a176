// Buffer: numbers of any size, order of bytes, searches
const bytes = Buffer.from('0102fffe80cafe01', 'hex');
for (const size of [1, 2, 3, 4, 5, 6]) console.log(bytes.readUIntBE(1, size), bytes.readUIntLE(1, size), bytes.readIntBE(2, size), bytes.readIntLE(2, size));
const out = Buffer.alloc(6);
for (const [method, value, size] of [['writeUIntBE', 0x010203, 3], ['writeUIntLE', 0x010203, 3], ['writeIntBE', -2, 6], ['writeIntLE', -32768, 2], ['writeUintBE', 0xffffffffffff, 6]]) console.log(method, out.fill(0)[method](value, 0, size), out.toString('hex'));
for (const call of [() => bytes.readUIntBE(5, 6), () => bytes.readUIntBE(0, 7), () => Buffer.alloc(3).swap16()]) try { call(); console.log('fine'); } catch (error) { console.log(error.name, error.code); }
console.log(Buffer.from('abcd').swap16().toString(), Buffer.from('abcd').swap32().toString(), Buffer.from('abcdefgh').swap64().toString());
const text = Buffer.from('one two one');
console.log(text.lastIndexOf('one'), text.lastIndexOf('one', 5), text.lastIndexOf('x'), text.lastIndexOf(Buffer.from('two')), text.lastIndexOf(111), text.indexOf('one', -5), text.lastIndexOf('one', -9));
console.log(Buffer.from([0x3d, 0xd8]).toString('utf16le').charCodeAt(0).toString(16), require('buffer').Buffer === Buffer);
