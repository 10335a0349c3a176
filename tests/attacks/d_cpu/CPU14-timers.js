// CPU14 sets timers that set timers
// limits = { fuel = 500_000_000, wall = "1s" }
// expect = ["limited:fuel", "limited:wall"]
// --- twin
await new Promise((done) => setTimeout(done, 1));
console.log("ok");
// --- attack
const again = () => setTimeout(again, 0);
again();
