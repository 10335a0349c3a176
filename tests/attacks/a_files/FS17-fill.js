// FS17 writes until the disk is full
// limits = { workspace = "2MiB" }
// expect = ["limited:workspace"]
// --- twin
require("fs").writeFileSync("half", new Uint8Array(1 << 20));
console.log("ok");
// --- attack
const fs = require("fs");
for (let number = 0; ; number++) fs.writeFileSync("f" + number, new Uint8Array(1 << 18));
