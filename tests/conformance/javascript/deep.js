// calls and callbacks go thousands of frames deep, and end in an error that the program can catch
// only = "Node itself goes less deep in a reviver"
const plain = (n) => (n === 0 ? 0 : 1 + plain(n - 1));
const viaMap = (n) => (n === 0 ? 0 : 1 + [n].map(() => viaMap(n - 1))[0]);
const viaReviver = (n) => (n === 0 ? 0 : JSON.parse('[1]', (key, value) => (key === '0' ? 1 + viaReviver(n - 1) : value))[0]);
const viaSort = (n) => { let depth = 0; if (n > 0) [1, 2].sort(() => { depth = 1 + viaSort(n - 1); return 0; }); return depth; };
const viaGetter = (n) => (n === 0 ? 0 : 1 + { get rest() { return viaGetter(n - 1); } }.rest);
const viaPromise = (n) => { let depth = 0; if (n > 0) new Promise(() => { depth = 1 + viaPromise(n - 1); }); return depth; };
console.log(plain(8000));
for (const via of [viaMap, viaReviver, viaSort, viaGetter, viaPromise]) console.log(via.name, via(2500));
const endless = [
  function call() { call(); }, function map() { [1].map(map); }, () => JSON.parse('['.repeat(1e6)), () => eval('('.repeat(1e5)), () => new RegExp('('.repeat(1e5)),
  () => { const self = { toString() { return `${self}`; } }; return `${self}`; }, () => { const self = { get x() { return this.x; } }; return self.x; },
];
for (const run of endless) try { run(); console.log('no error'); } catch (error) { console.log(error instanceof Error); }
console.log(plain(8000));
