// STK06 frees objects that are nested a million deep
// limits = { fuel = 4_000_000_000 }
// expect = ["virtual", "limited:stack", "limited:fuel", "limited:memory", "denied"]
// --- twin
let nested = {};
for (let depth = 0; depth < 1000; depth++) nested = { nested };
nested = null;
console.log("ok");
// --- attack
let nested = {};
for (let depth = 0; depth < 500_000; depth++) nested = { nested };
nested = null;
