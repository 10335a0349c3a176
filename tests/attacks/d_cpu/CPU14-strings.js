// CPU14 builds strings without end
// limits = { fuel = 1_000_000_000, wall = "1s" }
// expect = ["denied", "limited:fuel", "limited:memory", "limited:wall"]
// --- twin
if (Array(10).join("x").length !== 9) throw new Error("short");
console.log("ok");
// --- attack
Array(1e9).join("xxxxxxxxxx");
throw new RangeError("came to an end");
