// CPU14 recurses through generators and promises
// limits = { fuel = 500_000_000, wall = "1s" }
// expect = ["limited:fuel", "limited:wall", "limited:memory", "limited:stack", "denied"]
// --- twin
function* few() { yield 1; yield* [2, 3]; }
if ([...few()].length !== 3) throw new Error("lost");
console.log("ok");
// --- attack
function* endless() { yield* endless(); }
for (const x of endless());
