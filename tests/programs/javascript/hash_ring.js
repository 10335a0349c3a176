// consistent hashing, Bloom filters and rate tables with node:crypto
import { createHash } from 'node:crypto';
import assert from 'node:assert';

const hash = (text, algorithm = 'md5') => createHash(algorithm).update(text).digest().readUInt32BE(0);

class Ring {
  #points = [];
  constructor(nodes = [], replicas = 20) { this.replicas = replicas; nodes.forEach((n) => this.add(n)); }
  add(node) {
    for (let i = 0; i < this.replicas; i++) this.#points.push({ at: hash(`${node}#${i}`), node });
    this.#points.sort((a, b) => a.at - b.at);
    return this;
  }
  remove(node) { this.#points = this.#points.filter((p) => p.node !== node); return this; }
  find(key) {
    const at = hash(key);
    let low = 0, high = this.#points.length;
    while (low < high) { const middle = (low + high) >>> 1; if (this.#points[middle].at < at) low = middle + 1; else high = middle; }
    return this.#points[low % this.#points.length].node;
  }
}
class Bloom {
  constructor(bits = 256, hashes = 3) { this.bits = new Uint8Array(bits / 8); this.size = bits; this.hashes = hashes; }
  *#places(text) { for (let i = 0; i < this.hashes; i++) yield hash(`${i}:${text}`, 'sha1') % this.size; }
  add(text) { for (const p of this.#places(text)) this.bits[p >> 3] |= 1 << (p & 7); return this; }
  has(text) { for (const p of this.#places(text)) if (!(this.bits[p >> 3] & (1 << (p & 7)))) return false; return true; }
  get fill() { return [...this.bits].reduce((n, b) => n + b.toString(2).replaceAll('0', '').length, 0) / this.size; }
}
const keys = Array.from({ length: 300 }, (_, i) => `user:${i}`);
const spread = (ring) => keys.reduce((counts, key) => ({ ...counts, [ring.find(key)]: (counts[ring.find(key)] ?? 0) + 1 }), {});
const ring = new Ring(['alpha', 'beta', 'gamma']);
const before = new Map(keys.map((k) => [k, ring.find(k)]));
console.log(spread(ring), ring.find('user:42'), ring.find('anything'));
ring.add('delta');
const moved = keys.filter((k) => ring.find(k) !== before.get(k));
console.log(spread(ring), moved.length, moved.every((k) => ring.find(k) === 'delta'));
ring.remove('alpha');
console.log(Object.keys(spread(ring)).sort(), keys.filter((k) => ring.find(k) === 'alpha').length);
const bloom = new Bloom();
for (const word of ['apple', 'pear', 'plum', 'fig']) bloom.add(word);
console.log(['apple', 'fig', 'kiwi', 'grape'].map((w) => [w, bloom.has(w)]), bloom.fill, bloom);
const etag = (body) => `W/"${createHash('sha256').update(JSON.stringify(body)).digest('base64url').slice(0, 12)}"`;
console.log(etag({ a: 1 }), etag([]), etag({ a: 1 }) === etag({ a: 1 }), createHash('sha512').update('').digest('hex').slice(0, 24));
assert.ok(bloom.has('pear'));
assert.deepStrictEqual(Object.keys({ b: 1, a: 2 }), ['b', 'a']);
assert.throws(() => createHash('x'), Error);
const merkle = (leaves) => { let level = leaves.map((l) => createHash('sha256').update(l).digest()); while (level.length > 1) level = level.flatMap((h, i) => (i % 2 ? [] : [createHash('sha256').update(Buffer.concat([h, level[i + 1] ?? h])).digest()])); return level[0].toString('hex'); };
console.log(merkle(['a', 'b', 'c']), merkle(['a']) === createHash('sha256').update('a').digest('hex'));
