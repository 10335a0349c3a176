// seeded simulations: dice, a random walk, Monte Carlo, a shop queue
class Random {
  constructor(seed) { this.state = seed >>> 0; }
  next() { this.state = (Math.imul(this.state, 1664525) + 1013904223) >>> 0; return this.state / 2 ** 32; }
  int(min, max) { return min + Math.floor(this.next() * (max - min + 1)); }
  pick(items) { return items[this.int(0, items.length - 1)]; }
  shuffle(items) { const a = [...items]; for (let i = a.length - 1; i > 0; i--) { const j = this.int(0, i); [a[i], a[j]] = [a[j], a[i]]; } return a; }
  gauss(mean = 0, sd = 1) { const u = 1 - this.next(), v = this.next(); return mean + sd * Math.sqrt(-2 * Math.log(u)) * Math.cos(2 * Math.PI * v); }
}
const rng = new Random(2025);
console.log(Array.from({ length: 10 }, () => rng.int(1, 6)), rng.pick(['a', 'b', 'c']), rng.shuffle([1, 2, 3, 4, 5]).join(''));
const rolls = {};
for (let i = 0; i < 10000; i++) { const total = rng.int(1, 6) + rng.int(1, 6); rolls[total] = (rolls[total] ?? 0) + 1; }
for (const [total, count] of Object.entries(rolls)) console.log(total.padStart(2), '*'.repeat(Math.round(count / 50)), (count / 100).toFixed(1) + '%');
for (const samples of [100, 1000, 20000]) {
  let inside = 0;
  for (let i = 0; i < samples; i++) inside += rng.next() ** 2 + rng.next() ** 2 <= 1;
  console.log(`pi with ${samples.toLocaleString()} samples: ${(4 * inside) / samples}`);
}
let [x, y] = [0, 0];
const visited = new Set(['0,0']);
for (let i = 0; i < 500; i++) { const [dx, dy] = rng.pick([[0, 1], [1, 0], [0, -1], [-1, 0]]); x += dx; y += dy; visited.add(`${x},${y}`); }
console.log({ x, y, distance: Math.hypot(x, y), visited: visited.size });
const heights = Array.from({ length: 1000 }, () => rng.gauss(175, 7));
const mean = heights.reduce((a, b) => a + b) / heights.length;
const sd = Math.sqrt(heights.reduce((t, h) => t + (h - mean) ** 2, 0) / heights.length);
console.log(mean, sd, Math.min(...heights), Math.max(...heights));
const buckets = new Map();
for (const h of heights) { const b = Math.floor(h / 5) * 5; buckets.set(b, (buckets.get(b) ?? 0) + 1); }
for (const [b, n] of [...buckets].sort((a, c) => a[0] - c[0])) console.log(`${b}-${b + 5} ${'▇'.repeat(n / 10)} ${n}`);
const shop = { queue: 0, served: 0, lost: 0, longest: 0 };
for (let minute = 0; minute < 480; minute++) {
  if (rng.next() < 0.4) shop.queue < 5 ? shop.queue++ : shop.lost++;
  if (shop.queue && rng.next() < 0.38) { shop.queue--; shop.served++; }
  shop.longest = Math.max(shop.longest, shop.queue);
}
console.log(shop);
let population = [{ rabbits: 100, foxes: 10 }];
for (let i = 0; i < 30; i++) { const { rabbits: r, foxes: f } = population.at(-1); population.push({ rabbits: r + 0.1 * r - 0.01 * r * f, foxes: f + 0.002 * r * f - 0.12 * f }); }
console.log(population.filter((_, i) => i % 6 === 0).map(({ rabbits, foxes }) => [rabbits.toFixed(2), foxes.toFixed(2)]));
