// CPU01 never ends
// limits = { fuel = 300_000_000 }
// expect = ["limited:fuel"]
// --- twin
let total = 0;
for (let number = 0; number < 10_000; number++) total += number;
if (total !== 49_995_000) throw new Error(total);
console.log("ok");
// --- attack
while (true) {}
