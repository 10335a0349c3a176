// node:crypto: digests, keys from passwords, AES in its modes, what is wrong with them
const crypto = require('crypto');
const { Readable } = require('stream');
console.log(crypto.createHash('sha256').update('abc').digest('hex'), crypto.createHash('md5').update('a').update('b').digest('base64'));
console.log(crypto.createHmac('sha256', 'key').update('msg').digest('hex'), crypto.timingSafeEqual(Buffer.from('a'), Buffer.from('a')));
console.log(crypto.pbkdf2Sync('pw', 'salt', 1000, 32, 'sha512').toString('hex'));
console.log(crypto.scryptSync('pw', 'salt', 32, { N: 1024 }).toString('hex'));
console.log(Buffer.from(crypto.hkdfSync('sha256', 'k', 's', 'i', 16)).toString('hex'));
const key = Buffer.alloc(32, 1), iv = Buffer.alloc(16, 2);
const cipher = crypto.createCipheriv('aes-256-cbc', key, iv);
let text = cipher.update('hello world and more than one block', 'utf8', 'hex');
console.log(text);
text += cipher.final('hex');
const decipher = crypto.createDecipheriv('aes-256-cbc', key, iv);
console.log(text, decipher.update(text, 'hex', 'utf8') + decipher.final('utf8'));
for (const size of [12, 7, 16]) {
  const gcm = crypto.createCipheriv('aes-256-gcm', key, Buffer.alloc(size, 3));
  gcm.setAAD(Buffer.from('more'));
  const secret = Buffer.concat([gcm.update('a secret, longer than a block of sixteen'), gcm.final()]);
  const open = crypto.createDecipheriv('aes-256-gcm', key, Buffer.alloc(size, 3));
  open.setAAD(Buffer.from('more')).setAuthTag(gcm.getAuthTag());
  console.log(secret.toString('hex'), gcm.getAuthTag().toString('hex'), open.update(secret, null, 'utf8') + open.final('utf8'));
}
const counter = crypto.createCipheriv('aes-128-ctr', Buffer.alloc(16, 9), Buffer.alloc(16, 255));
console.log(counter.update('stream of text, ', 'utf8', 'base64') + counter.update('in parts', 'utf8', 'base64') + counter.final('base64'));
const book = crypto.createCipheriv('aes-192-ecb', Buffer.alloc(24, 7), null).setAutoPadding(false);
console.log(book.update('0123456789abcdef', 'utf8', 'hex') + book.final('hex'));
const failures = [
  () => crypto.createHmac('none', 'k'), () => crypto.createCipheriv('aes-none', key, iv), () => crypto.createCipheriv('aes-128-cbc', key, iv),
  () => crypto.createCipheriv('aes-256-cbc', key, Buffer.alloc(3)), () => { const hash = crypto.createHash('md5'); hash.digest(); hash.digest(); }, () => crypto.createHash('md5').update(3),
  () => { const bad = crypto.createDecipheriv('aes-256-cbc', key, iv); bad.update('00'.repeat(16), 'hex'); bad.final(); },
  () => { const bad = crypto.createDecipheriv('aes-256-cbc', key, iv); bad.update('00', 'hex'); bad.final(); },
  () => { const bad = crypto.createDecipheriv('aes-256-gcm', key, iv); bad.setAuthTag(Buffer.alloc(16)); bad.update('00', 'hex'); bad.final(); },
  () => crypto.scryptSync('a', 'b', 8, { N: 3 }), () => crypto.pbkdf2Sync('a', 'b', 1, 2, 'none'), () => crypto.randomInt(5, 5), () => crypto.timingSafeEqual(Buffer.from('a'), Buffer.from('ab')),
];
for (const fail of failures) try { fail(); console.log('no error'); } catch (error) { console.log(error.name, error.code, error.message); }
crypto.pbkdf2('a', 'b', 1, 8, 'sha1', (error, derived) => console.log(error, derived));
const hash = crypto.createHash('sha1');
Readable.from(['a', 'bc']).pipe(hash).on('finish', () => console.log(hash.read().toString('hex')));
console.log(crypto.randomBytes(8).length, crypto.randomUUID().length, crypto.createSecretKey(Buffer.from('k')).export().toString(), crypto.getCiphers().includes('aes-256-gcm'));
