// CPU14 chases proxies, sorts with lies and converts without end
// limits = { fuel = 300_000_000 }
// expect = ["limited:fuel"]
// --- twin
if ([3, 1, 2].sort().join() !== "1,2,3") throw new Error("unsorted");
console.log("ok");
// --- attack
const lie = { valueOf() { for (;;); } };
[lie, lie].sort((a, b) => a - b);
