// CPU14 queues microtasks without end
// limits = { fuel = 500_000_000 }
// expect = ["limited:fuel"]
// --- twin
await Promise.resolve();
console.log("ok");
// --- attack
const again = () => Promise.resolve().then(again);
again();
