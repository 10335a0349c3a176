// CPU06 matches an expression that backtracks for ever
// limits = { fuel = 500_000_000, wall = "1s" }
// expect = ["limited:fuel", "limited:wall"]
// --- twin
if (!/(a+)+$/.test("a".repeat(40))) throw new Error("no match");
console.log("ok");
// --- attack
/(a+)+$/.test("a".repeat(40) + "b");
