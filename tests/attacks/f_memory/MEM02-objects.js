// MEM02 makes small objects for ever
// limits = { wall = "2s", memory = "32MiB" }
// expect = ["limited:memory", "limited:fuel", "limited:wall", "denied"]
// --- twin
const kept = [];
for (let number = 0; number < 10_000; number++) kept.push({ number });
console.log("ok");
// --- attack
const kept = [];
for (let number = 0; ; number++) kept.push({ number, text: "x" + number, more: [number] });
