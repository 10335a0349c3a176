// OUT02 writes single bytes, ten million of them
// limits = { output = "64KiB" }
// expect = ["limited:output", "limited:fuel"]
// --- twin
console.log("ok");
// --- attack
for (let number = 0; number < 1e7; number++) process.stdout.write("x");
