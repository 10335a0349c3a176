// MEM02 grows slowly and for ever
// limits = { fuel = 4_000_000_000 }
// expect = ["limited:memory", "denied"]
// --- twin
const kept = [];
for (let number = 0; number < 30; number++) kept.push(new Uint8Array(1 << 20));
console.log("ok");
// --- attack
const kept = [];
for (;;) kept.push(new Uint8Array(1 << 20));
