// the game 2048 with a seed, typed boards and a simple player
type Cell = 0 | number;
type Board = readonly (readonly Cell[])[];
type Direction = 'left' | 'right' | 'up' | 'down';
const SIZE = 4 as const;

class Rng {
  constructor(private seed: number) {}
  next(): number { this.seed ^= this.seed << 13; this.seed ^= this.seed >>> 17; this.seed ^= this.seed << 5; return (this.seed >>> 0) / 0x1_0000_0000; }
  below(n: number): number { return Math.floor(this.next() * n); }
}
const rotate = (b: Board): Board => b[0]!.map((_, c) => b.map((row) => row[SIZE - 1 - c]!));
const times = <T,>(n: number, f: (x: T) => T, x: T): T => { for (let i = 0; i < n; i++) x = f(x); return x; };
function slide(row: readonly Cell[]): { row: Cell[]; gained: number } {
  const tiles = row.filter((c): c is number => c !== 0), out: Cell[] = [];
  let gained = 0;
  for (let i = 0; i < tiles.length; i++) {
    if (tiles[i] === tiles[i + 1]) { out.push(tiles[i]! * 2); gained += tiles[i]! * 2; i++; } else out.push(tiles[i]!);
  }
  return { row: [...out, ...Array<Cell>(SIZE - out.length).fill(0)], gained };
}
const TURNS: Readonly<Record<Direction, number>> = { left: 0, up: 1, right: 2, down: 3 };
function move(board: Board, direction: Direction): { board: Board; gained: number; moved: boolean } {
  const turns = TURNS[direction], turned = times(turns, rotate, board), slid = turned.map(slide);
  const next = times((4 - turns) % 4, rotate, slid.map((s) => s.row) as Board);
  return { board: next, gained: slid.reduce((s, { gained }) => s + gained, 0), moved: JSON.stringify(next) !== JSON.stringify(board) };
}
class Game {
  board: Board = Array.from({ length: SIZE }, () => Array<Cell>(SIZE).fill(0));
  score = 0;
  constructor(private readonly rng: Rng) { this.spawn(); this.spawn(); }
  private spawn(): void {
    const free = this.board.flatMap((row, y) => row.flatMap((c, x) => (c ? [] : [[x, y] as const])));
    const [x, y] = free[this.rng.below(free.length)]!;
    this.board = this.board.map((row, j) => row.map((c, i) => (i === x && j === y ? (this.rng.next() < 0.9 ? 2 : 4) : c)));
  }
  get options(): Direction[] { return (Object.keys(TURNS) as Direction[]).filter((d) => move(this.board, d).moved); }
  play(direction: Direction): boolean {
    const { board, gained, moved } = move(this.board, direction);
    if (!moved) return false;
    this.board = board;
    this.score += gained;
    this.spawn();
    return true;
  }
  toString(): string { const line = '+' + '------+'.repeat(SIZE); return [line, ...this.board.flatMap((row) => ['|' + row.map((c) => String(c || '').padStart(5) + ' ').join('|') + '|', line])].join('\n'); }
}
console.log(slide([2, 2, 4, 4]), slide([2, 0, 2, 2]), slide([0, 0, 0, 4]), rotate([[1, 2, 3, 4], [5, 6, 7, 8], [9, 10, 11, 12], [13, 14, 15, 16]]));
const game = new Game(new Rng(2025));
console.log(String(game));
let turn = 0;
while (game.options.length && turn < 300) {
  const best = game.options.map((d) => ({ d, gained: move(game.board, d).gained })).reduce((a, b) => (b.gained > a.gained ? b : a));
  game.play(best.d);
  if (++turn % 100 === 0) console.log(`turn ${turn}, score ${game.score}\n${game}`);
}
console.log(`over after ${turn} turns with ${game.score}, best tile ${Math.max(...game.board.flat())}\n${game}`);
