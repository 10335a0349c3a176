// tic-tac-toe with minimax, and connect four with bits
const LINES = [[0, 1, 2], [3, 4, 5], [6, 7, 8], [0, 3, 6], [1, 4, 7], [2, 5, 8], [0, 4, 8], [2, 4, 6]];
const winner = (b) => { for (const [x, y, z] of LINES) if (b[x] && b[x] === b[y] && b[x] === b[z]) return b[x]; return b.every(Boolean) ? 'draw' : null; };
const memo = new Map();
function minimax(board, player, me) {
  const key = board.map((c) => c ?? '-').join('') + player + me;
  if (memo.has(key)) return memo.get(key);
  const end = winner(board);
  let result;
  if (end) result = { score: end === 'draw' ? 0 : end === me ? 1 : -1 };
  else {
    const moves = board.flatMap((c, i) => (c ? [] : [{ i, score: minimax(board.with(i, player), player === 'X' ? 'O' : 'X', me).score }]));
    result = moves.reduce((a, b) => ((player === me ? b.score > a.score : b.score < a.score) ? b : a));
  }
  memo.set(key, result);
  return result;
}
const show = (b) => [0, 3, 6].map((r) => b.slice(r, r + 3).map((c, i) => c ?? r + i).join(' | ')).join('\n--+---+--\n');
let board = Array(9).fill(null), player = 'X';
while (!winner(board)) {
  const { i } = minimax(board, player, player);
  board = board.with(i, player);
  console.log(`${player} plays ${i}`);
  player = player === 'X' ? 'O' : 'X';
}
console.log(show(board), '\nresult:', winner(board), memo.size);
console.log(minimax(['X', 'X', null, 'O', 'O', null, null, null, null], 'X', 'X'), minimax(['O', 'O', null, 'X', null, null, null, null, 'X'], 'X', 'X'));
class ConnectFour {
  columns = Array.from({ length: 7 }, () => []);
  drop(column, piece) {
    if (this.columns[column]?.length >= 6) throw new RangeError(`column ${column} is full`);
    this.columns[column].push(piece);
    return this.wins(column, this.columns[column].length - 1, piece);
  }
  at(c, r) { return this.columns[c]?.[r]; }
  wins(c, r, piece) {
    return [[1, 0], [0, 1], [1, 1], [1, -1]].some(([dc, dr]) => {
      let run = 1;
      for (const sign of [1, -1]) for (let k = 1; this.at(c + sign * k * dc, r + sign * k * dr) === piece; k++) run++;
      return run >= 4;
    });
  }
  toString() { return Array.from({ length: 6 }, (_, r) => this.columns.map((c) => c[5 - r] ?? '.').join(' ')).join('\n'); }
}
const game = new ConnectFour();
const moves = [3, 3, 4, 4, 5, 5, 0, 3, 6];
for (const [turn, column] of moves.entries()) if (game.drop(column, 'RY'[turn % 2])) { console.log(`${'RY'[turn % 2]} wins with column ${column}`); break; }
console.log(`${game}`);
try { for (let i = 0; i < 9; i++) game.drop(0, 'R'); } catch (e) { console.log(String(e)); }
