// puzzles: queens, sudoku, subsets, coins, Hanoi, knapsack, edit distance
const queens = (n, row = 0, cols = [], found = []) => { if (row === n) found.push(cols); else for (let c = 0; c < n; c++) if (cols.every((k, r) => k !== c && Math.abs(k - c) !== row - r)) queens(n, row + 1, [...cols, c], found); return found; };
console.log([1, 2, 3, 4, 5, 6, 7, 8].map((n) => queens(n).length).join(' '));
console.log(queens(6)[0].map((c) => '.'.repeat(c) + 'Q' + '.'.repeat(5 - c)).join('\n'));
function sudoku(grid) {
  const at = grid.indexOf('.');
  if (at < 0) return grid;
  const row = Math.floor(at / 9), column = at % 9, used = new Set();
  for (let i = 0; i < 9; i++) {
    used.add(grid[row * 9 + i]).add(grid[i * 9 + column]);
    used.add(grid[(Math.floor(row / 3) * 3 + Math.floor(i / 3)) * 9 + Math.floor(column / 3) * 3 + (i % 3)]);
  }
  for (const d of '123456789') if (!used.has(d)) { const solved = sudoku(grid.slice(0, at) + d + grid.slice(at + 1)); if (solved) return solved; }
  return null;
}
const solved = sudoku('53..7....6..195....98....6.8...6...34..8.3..17...2...6.6....28....419..5....8..79');
console.log(solved.match(/.{9}/g).map((r) => r.match(/.{3}/g).join(' | ')).join('\n'));
const subsets = (items) => items.reduce((all, x) => all.concat(all.map((s) => [...s, x])), [[]]);
console.log(subsets(['a', 'b', 'c']), subsets([3, 34, 4, 12, 5, 2]).filter((s) => s.reduce((a, b) => a + b, 0) === 9));
const coins = (amount, kinds) => { const best = [[], ...Array(amount).fill(null)]; for (let a = 1; a <= amount; a++) for (const k of kinds) if (best[a - k] && (!best[a] || best[a - k].length + 1 < best[a].length)) best[a] = [...best[a - k], k]; return best[amount]; };
console.log(coins(63, [1, 5, 10, 21, 25]), coins(3, [2]));
function* hanoi(n, from = 'A', to = 'C', via = 'B') { if (n) { yield* hanoi(n - 1, from, via, to); yield `${n}:${from}>${to}`; yield* hanoi(n - 1, via, to, from); } }
console.log([...hanoi(3)].join(' '), [...hanoi(10)].length);
const knapsack = (items, capacity) => { const table = Array.from({ length: items.length + 1 }, () => Array(capacity + 1).fill(0)); items.forEach(({ weight, value }, i) => { for (let c = 0; c <= capacity; c++) table[i + 1][c] = Math.max(table[i][c], c >= weight ? table[i][c - weight] + value : 0); }); const chosen = []; for (let i = items.length, c = capacity; i > 0; i--) if (table[i][c] !== table[i - 1][c]) { chosen.unshift(items[i - 1].name); c -= items[i - 1].weight; } return { value: table.at(-1)[capacity], chosen }; };
console.log(knapsack([{ name: 'map', weight: 9, value: 150 }, { name: 'water', weight: 153, value: 200 }, { name: 'tent', weight: 42, value: 70 }, { name: 'camera', weight: 32, value: 30 }], 200));
const lcs = (a, b) => { const t = Array.from({ length: a.length + 1 }, () => Array(b.length + 1).fill('')); for (let i = 1; i <= a.length; i++) for (let j = 1; j <= b.length; j++) t[i][j] = a[i - 1] === b[j - 1] ? t[i - 1][j - 1] + a[i - 1] : t[i - 1][j].length >= t[i][j - 1].length ? t[i - 1][j] : t[i][j - 1]; return t[a.length][b.length]; };
console.log(lcs('AGGTAB', 'GXTXAYB'), lcs('', 'x') === '');
const primes = (n) => { const sieve = new Uint8Array(n + 1); const out = []; for (let i = 2; i <= n; i++) if (!sieve[i]) { out.push(i); for (let j = i * i; j <= n; j += i) sieve[j] = 1; } return out; };
console.log(primes(50).join(), primes(100000).length, ((n) => { const f = []; for (let p = 2; p * p <= n; p++) while (n % p === 0) { f.push(p); n /= p; } if (n > 1) f.push(n); return f; })(600851475143));
const collatz = (n) => { let steps = 0; while (n !== 1) { n = n % 2 ? 3 * n + 1 : n / 2; steps++; } return steps; };
console.log(Array.from({ length: 10 }, (_, i) => collatz(i + 1)), Array.from({ length: 20 }, (_, i) => (i % 15 === 0 ? 'FizzBuzz' : i % 5 === 0 ? 'Buzz' : i % 3 === 0 ? 'Fizz' : i)).slice(1).join(' '));
const romans = { M: 1000, CM: 900, D: 500, CD: 400, C: 100, XC: 90, L: 50, XL: 40, X: 10, IX: 9, V: 5, IV: 4, I: 1 };
const roman = (n) => Object.entries(romans).reduce((s, [r, v]) => { while (n >= v) { s += r; n -= v; } return s; }, '');
console.log([1994, 2025, 49].map(roman), (255).toString(2), parseInt('ff', 16), [...'hello'].map((c) => c.charCodeAt(0).toString(2).padStart(8, '0')).join(' '));
