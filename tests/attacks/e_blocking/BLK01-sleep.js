// BLK01 waits for an hour
// limits = { wall = "500ms" }
// expect = ["limited:wall"]
// --- twin
await new Promise((done) => setTimeout(done, 10));
console.log("ok");
// --- attack
await new Promise((done) => setTimeout(done, 3_600_000));
