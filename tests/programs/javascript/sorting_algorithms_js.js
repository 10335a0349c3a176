// sorting and searching algorithms, checked against the built-in sort
function mulberry32(seed) {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}
const random = mulberry32(42);
const data = Array.from({ length: 40 }, () => Math.floor(random() * 1000));
let comparisons = 0;
const less = (a, b) => (comparisons++, a < b);

const algorithms = {
  bubble(items) {
    const a = [...items];
    for (let i = a.length; i > 1; i--) for (let j = 1; j < i; j++) if (less(a[j], a[j - 1])) [a[j], a[j - 1]] = [a[j - 1], a[j]];
    return a;
  },
  insertion(items) {
    const a = [];
    for (const x of items) { let i = a.length; while (i && less(x, a[i - 1])) i--; a.splice(i, 0, x); }
    return a;
  },
  quick(items) {
    if (items.length < 2) return items;
    const [pivot, ...rest] = items, left = [], right = [];
    for (const x of rest) (less(x, pivot) ? left : right).push(x);
    return [...algorithms.quick(left), pivot, ...algorithms.quick(right)];
  },
  merge(items) {
    if (items.length < 2) return items;
    const middle = items.length >> 1, a = algorithms.merge(items.slice(0, middle)), b = algorithms.merge(items.slice(middle)), out = [];
    let i = 0, j = 0;
    while (i < a.length && j < b.length) out.push(less(b[j], a[i]) ? b[j++] : a[i++]);
    return out.concat(a.slice(i), b.slice(j));
  },
  heap(items) {
    const a = [...items];
    const sift = (i, n) => { for (;;) { let m = i; for (const c of [2 * i + 1, 2 * i + 2]) if (c < n && less(a[m], a[c])) m = c; if (m === i) return; [a[i], a[m]] = [a[m], a[i]]; i = m; } };
    for (let i = a.length >> 1; i >= 0; i--) sift(i, a.length);
    for (let n = a.length - 1; n > 0; n--) { [a[0], a[n]] = [a[n], a[0]]; sift(0, n); }
    return a;
  },
};
const expected = data.toSorted((a, b) => a - b);
console.log(data);
for (const [name, sort] of Object.entries(algorithms)) {
  comparisons = 0;
  const result = sort(data);
  console.log(`${name.padEnd(10)} ${JSON.stringify(result) === JSON.stringify(expected)} ${String(comparisons).padStart(5)}`);
}
const binarySearch = (a, x) => { let low = 0, high = a.length - 1; while (low <= high) { const mid = (low + high) >>> 1; if (a[mid] === x) return mid; if (a[mid] < x) low = mid + 1; else high = mid - 1; } return ~low; };
console.log(expected.slice(0, 5), binarySearch(expected, expected[7]), binarySearch(expected, -1), binarySearch(expected, 5000));
console.log(data.sort().slice(0, 6), ['b', undefined, 'a', , 'c'].sort(), [true, false].sort(), [[2], [10], [1]].sort(), [3, 2, 1].reverse(), expected.indexOf(expected[3]), expected.with(0, -1)[0]);
const people = [{ n: 'x', a: 2 }, { n: 'y', a: 1 }, { n: 'z', a: 2 }, { n: 'w', a: 1 }];
console.log(people.sort((p, q) => p.a - q.a).map((p) => p.n).join(''));
