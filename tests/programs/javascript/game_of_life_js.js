// Conway's game of life and an elementary cellular automaton
class World {
  constructor(width, height, cells = []) {
    this.width = width;
    this.height = height;
    this.cells = new Set(cells.map(([x, y]) => this.key(x, y)));
  }
  key(x, y) { return ((y + this.height) % this.height) * this.width + ((x + this.width) % this.width); }
  static parse(text) {
    const rows = text.trim().split('\n').map((r) => r.trim());
    const cells = rows.flatMap((row, y) => [...row].flatMap((c, x) => (c === '#' ? [[x, y]] : [])));
    return new World(rows[0].length, rows.length, cells);
  }
  next() {
    const counts = new Map();
    for (const key of this.cells) {
      const x = key % this.width, y = Math.floor(key / this.width);
      for (let dy = -1; dy <= 1; dy++) for (let dx = -1; dx <= 1; dx++) if (dx || dy) { const k = this.key(x + dx, y + dy); counts.set(k, (counts.get(k) ?? 0) + 1); }
    }
    const world = new World(this.width, this.height);
    for (const [key, n] of counts) if (n === 3 || (n === 2 && this.cells.has(key))) world.cells.add(key);
    return world;
  }
  toString() {
    return Array.from({ length: this.height }, (_, y) => Array.from({ length: this.width }, (_, x) => (this.cells.has(this.key(x, y)) ? '█' : '·')).join('')).join('\n');
  }
}
let world = World.parse(`
  ..........
  ..#.......
  ...#......
  .###......
  ..........
  ..........`);
for (let generation = 0; generation <= 8; generation += 4) {
  console.log(`Generation ${generation}: ${world.cells.size} alive\n${world}`);
  for (let i = 0; i < 4; i++) world = world.next();
}
const seen = new Map();
let blinker = World.parse('.....\n..#..\n..#..\n..#..\n.....');
for (let step = 0; ; step++) {
  const state = String(blinker);
  if (seen.has(state)) { console.log(`period ${step - seen.get(state)}`); break; }
  seen.set(state, step);
  blinker = blinker.next();
}
function* automaton(rule, width, steps) {
  let row = Array(width).fill(0);
  row[width >> 1] = 1;
  while (steps--) {
    yield row;
    row = row.map((_, i) => (rule >> ((row.at(i - 1) << 2) | (row[i] << 1) | row[(i + 1) % width])) & 1);
  }
}
for (const rule of [90, 30]) {
  console.log(`rule ${rule}`);
  for (const row of automaton(rule, 41, 12)) console.log(row.map((c) => ' #'[c]).join('').trimEnd());
}
