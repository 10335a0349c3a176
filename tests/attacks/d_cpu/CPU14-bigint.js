// CPU14 multiplies numbers of millions of digits
// limits = { fuel = 1_000_000_000, wall = "1s" }
// expect = ["denied", "limited:fuel", "limited:memory", "limited:wall"]
// --- twin
if (2n ** 64n !== 18446744073709551616n) throw new Error("wrong");
console.log("ok");
// --- attack
for (let number = 3n; ; ) number = number ** 7n;
