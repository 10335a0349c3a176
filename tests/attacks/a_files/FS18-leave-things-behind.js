// FS18 leaves files everywhere for the next run to find
// expect = ["virtual", "denied"]
// --- twin
const fs = require("fs");
if (fs.existsSync("mark")) throw new Error("found");
console.log("ok");
// --- attack
const fs = require("fs");
for (const place of ["mark", "/tmp/mark", "/dev/shm/mark"]) {
  try { fs.writeFileSync(place, "x"); console.log("virtual", place); } catch { console.log("denied", place); }
}
// --- next
const fs = require("fs");
if (fs.existsSync("mark") || fs.existsSync("/tmp/mark")) throw new Error("found");
console.log("ok");
