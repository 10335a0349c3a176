// BLK03 waits for input that never comes
// expect = ["virtual"]
// --- twin
if (require("fs").readFileSync(0, "utf8") !== "") throw new Error("input");
console.log("ok");
// --- attack
for await (const chunk of process.stdin) console.log("got", chunk);
console.log("virtual");
