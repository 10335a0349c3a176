// STK02 leaves a value that is nested too deeply
// expect = ["virtual", "denied", "limited:stack", "limited:memory"]
// --- twin
console.log("ok");
[[[]]];
// --- attack
let nested = [];
for (let depth = 0; depth < 200_000; depth++) nested = [nested];
nested;
