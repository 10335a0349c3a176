// Huffman coding and LZ77 over Buffers, compared with zlib
const zlib = require('node:zlib');
const { promisify } = require('node:util');

class Huffman {
  constructor(text) {
    const counts = {};
    for (const c of text) counts[c] = (counts[c] ?? 0) + 1;
    let nodes = Object.entries(counts).map(([char, count], order) => ({ char, count, order }));
    let order = nodes.length;
    while (nodes.length > 1) {
      nodes.sort((a, b) => a.count - b.count || a.order - b.order);
      const [left, right, ...rest] = nodes;
      nodes = [...rest, { left, right, count: left.count + right.count, order: order++ }];
    }
    this.root = nodes[0];
    this.codes = {};
    this.#walk(this.root, '');
  }
  #walk(node, code) { if (node.char !== undefined) this.codes[node.char] = code || '0'; else { this.#walk(node.left, code + '0'); this.#walk(node.right, code + '1'); } }
  encode(text) { return [...text].map((c) => this.codes[c]).join(''); }
  decode(bits) { let out = '', node = this.root; for (const b of bits) { node = b === '0' ? node.left : node.right; if (node.char !== undefined) { out += node.char; node = this.root; } } return out; }
}
const text = 'she sells sea shells by the sea shore, the shells she sells are sea shells';
const huffman = new Huffman(text);
const bits = huffman.encode(text);
console.log(huffman.codes, bits.length, (bits.length / (text.length * 8)).toFixed(3), huffman.decode(bits) === text);
const packed = Buffer.from(bits.padEnd(Math.ceil(bits.length / 8) * 8, '0').match(/.{8}/g).map((b) => parseInt(b, 2)));
console.log(packed, packed.toString('base64'));
const lz77 = (s, window = 32) => { const out = []; for (let i = 0; i < s.length;) { let best = [0, 0]; for (let j = Math.max(0, i - window); j < i; j++) { let n = 0; while (n < 15 && s[j + n] === s[i + n] && i + n < s.length - 1) n++; if (n > best[1]) best = [i - j, n]; } out.push([...best, s[i + best[1]]]); i += best[1] + 1; } return out; };
const unlz = (tokens) => tokens.reduce((s, [back, n, c]) => { for (let k = 0; k < n; k++) s += s[s.length - back]; return s + c; }, '');
const tokens = lz77(text);
console.log(tokens.length, tokens.slice(20), unlz(tokens) === text);
(async () => {
  const gzip = promisify(zlib.gzip), gunzip = promisify(zlib.gunzip);
  const big = Buffer.from(text.repeat(50));
  const small = await gzip(big);
  console.log(big.length, small.length < 400, small[0].toString(16), small[1].toString(16), (await gunzip(small)).equals(big));
  console.log(zlib.inflateRawSync(zlib.deflateRawSync('raw')).toString(), zlib.unzipSync(zlib.deflateSync('any')).toString());
  await gunzip(Buffer.from('nonsense')).catch((e) => console.log(e.code, e.message));
  const chunks = [];
  for await (const chunk of require('stream').Readable.from([big]).pipe(zlib.createGzip()).pipe(zlib.createGunzip())) chunks.push(chunk);
  console.log(Buffer.concat(chunks).length);
})();
