// reads lines from standard input and sums columns
// stdin = "name,score,hours\nann,10,1.5\nbob,x,2\n\ncid,30,0.25\nlast,5,1"
const readline = require('readline');

const rl = readline.createInterface({ input: process.stdin, terminal: false });
let header = null;
const rows = [], errors = [];
let number = 0;

rl.on('line', (line) => {
  number += 1;
  if (!line.trim()) return;
  const cells = line.split(',').map((cell) => cell.trim());
  if (!header) {
    header = cells;
    return;
  }
  const row = Object.fromEntries(header.map((key, i) => [key, i ? Number(cells[i]) : cells[i]]));
  if (Object.values(row).some(Number.isNaN)) errors.push({ number, line });
  else rows.push(row);
});

rl.on('close', () => {
  console.log(`${rows.length} rows, ${errors.length} errors, ${number} lines`);
  console.log(errors);
  console.table(rows);
  const sum = (key) => rows.reduce((total, row) => total + row[key], 0);
  console.log({ score: sum('score'), hours: sum('hours'), rate: +(sum('score') / sum('hours')).toFixed(3) });
  const best = rows.reduce((a, b) => (a.score > b.score ? a : b));
  console.log(`Best: ${best.name} with ${best.score}`);
  process.stdout.write('done\n');
});
