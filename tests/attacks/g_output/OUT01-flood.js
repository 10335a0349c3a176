// OUT01 prints without end
// limits = { output = "64KiB" }
// expect = ["limited:output"]
// --- twin
console.log("ok");
// --- attack
for (;;) console.log("A".repeat(65536));
