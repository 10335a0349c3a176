// OUT07 leaves a value of a hundred megabytes
// limits = { memory = "512MiB", value = "64KiB", fuel = 50_000_000_000, wall = "10s" }
// expect = ["virtual", "limited:memory", "denied", "limited:host_allocation"]
// --- twin
console.log("ok");
"x".repeat(100);
// --- attack
"x".repeat(100 << 20);
