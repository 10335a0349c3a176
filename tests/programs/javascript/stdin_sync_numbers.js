// reads all of standard input at once and solves small problems with it
// stdin = "5\n3 1 4 1 5\n2 2\nhello world\n"
const fs = require('fs');
const tokens = fs.readFileSync(0, 'utf8').split(/\s+/).filter(Boolean);
let at = 0;
const next = () => tokens[at++], number = () => Number(next());
const n = number();
const numbers = Array.from({ length: n }, number);
console.log(n, numbers, numbers.reduce((a, b) => a + b, 0));
console.log([...numbers].sort((a, b) => a - b).join(' '), new Set(numbers).size, Math.max(...numbers));
const [rows, columns] = [number(), number()];
console.log(Array.from({ length: rows }, (_, r) => Array.from({ length: columns }, (_, c) => r * columns + c)));
console.log(next().toUpperCase(), [...next()].reverse().join(''), next());
const prefix = numbers.reduce((sums, x) => [...sums, sums.at(-1) + x], [0]);
console.log(prefix, numbers.map((x, i) => prefix[i + 1] - prefix[i] === x).every(Boolean));
const lis = numbers.reduce((tails, x) => { const i = tails.findIndex((t) => t >= x); tails[i < 0 ? tails.length : i] = x; return tails; }, []).length;
console.log({ lis, even: numbers.filter((x) => x % 2 === 0), gcd: numbers.reduce(function gcd(a, b) { return b ? gcd(b, a % b) : a; }) });
