// crypto.subtle: digests, HMAC, AES, PBKDF2, HKDF, import and export
const { subtle } = crypto;
const bytes = (text) => new TextEncoder().encode(text), hex = (buffer) => Buffer.from(buffer).toString('hex');
console.log(hex(await subtle.digest('SHA-256', bytes('abc'))), hex(await subtle.digest({ name: 'sha-1' }, bytes('abc'))));
const key = await subtle.importKey('raw', bytes('key'), { name: 'HMAC', hash: 'SHA-256' }, true, ['sign', 'verify']);
const signature = await subtle.sign('HMAC', key, bytes('m'));
console.log(hex(signature), await subtle.verify('HMAC', key, signature, bytes('m')), await subtle.verify('HMAC', key, signature, bytes('n')));
console.log(await subtle.exportKey('jwk', key), key.algorithm.name, key.algorithm.hash, key.algorithm.length, key.usages);
const iv = new Uint8Array(12), additionalData = bytes('x');
const secret = await subtle.importKey('raw', new Uint8Array(32), 'AES-GCM', true, ['encrypt', 'decrypt']);
console.log(secret);
const sealed = await subtle.encrypt({ name: 'AES-GCM', iv, additionalData }, secret, bytes('hello'));
console.log(hex(sealed), Buffer.from(await subtle.decrypt({ name: 'AES-GCM', iv, additionalData }, secret, sealed)).toString(), (await subtle.exportKey('jwk', secret)).alg);
for (const algorithm of [{ name: 'AES-CBC', iv: new Uint8Array(16) }, { name: 'AES-CTR', counter: new Uint8Array(16).fill(255), length: 4 }]) {
  const hidden = await subtle.importKey('raw', new Uint8Array(16), algorithm.name, false, ['encrypt', 'decrypt']);
  const closed = await subtle.encrypt(algorithm, hidden, bytes('some longer text than a block'));
  console.log(algorithm.name, hex(closed), Buffer.from(await subtle.decrypt(algorithm, hidden, closed)).toString());
}
const password = await subtle.importKey('raw', bytes('pw'), 'PBKDF2', false, ['deriveBits', 'deriveKey']);
console.log(hex(await subtle.deriveBits({ name: 'PBKDF2', salt: bytes('s'), iterations: 1000, hash: 'SHA-512' }, password, 256)));
const derived = await subtle.deriveKey({ name: 'PBKDF2', salt: bytes('s'), iterations: 10, hash: 'SHA-256' }, password, { name: 'AES-GCM', length: 256 }, true, ['encrypt']);
console.log(hex(await subtle.exportKey('raw', derived)), derived.algorithm);
const input = await subtle.importKey('raw', bytes('ikm'), 'HKDF', false, ['deriveBits']);
console.log(hex(await subtle.deriveBits({ name: 'HKDF', salt: bytes('s'), info: bytes('i'), hash: 'SHA-256' }, input, 128)));
const made = await subtle.generateKey({ name: 'AES-CBC', length: 128 }, true, ['encrypt', 'decrypt']);
console.log(made.usages, (await subtle.exportKey('raw', made)).byteLength, Object.prototype.toString.call(made));
const failures = [
  () => subtle.digest('md5', bytes('')), () => subtle.decrypt({ name: 'AES-GCM', iv }, secret, new Uint8Array(20)), () => subtle.importKey('raw', new Uint8Array(5), 'AES-GCM', true, ['encrypt']),
  () => subtle.sign('HMAC', secret, iv), () => subtle.importKey('raw', new Uint8Array(16), 'AES-GCM', true, ['sign']), () => subtle.importKey('raw', new Uint8Array(16), 'AES-GCM', true, []),
];
for (const fail of failures) await fail().then(() => console.log('no error'), (error) => console.log(error.name));
