// BLK06 waits for a promise that nobody fulfils
// limits = { wall = "500ms" }
// expect = ["limited:wall", "denied", "virtual"]
// --- twin
if ((await Promise.resolve(1)) !== 1) throw new Error("lost");
console.log("ok");
// --- attack
await new Promise(() => {});
