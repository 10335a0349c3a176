// recursion works to a usual depth and fails as an error beyond
const depth = (n) => (n === 0 ? 0 : 1 + depth(n - 1));
console.log(depth(500));
try { depth(1e7); } catch (error) { console.log(error instanceof Error, /stack|recursion/i.test(String(error))); }
console.log(depth(500));
