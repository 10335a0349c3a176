// FS02 climbs out of the workspace
// mounts = true
// expect = ["denied"]
// --- twin
const fs = require("fs");
fs.mkdirSync("a");
fs.writeFileSync("a/../x.txt", "1");
if (fs.readFileSync("./a//../x.txt", "utf8") !== "1") throw new Error("lost");
console.log("ok");
// --- attack
const fs = require("fs");
for (const depth of [1, 2, 3, 64, 500]) {
  const path = "../".repeat(depth) + "{{outside}}/secret.txt".slice(1);
  attempt(path.slice(-60), () => fs.readFileSync(path, "utf8"));
}
for (const path of ["/read/../secret.txt", "/write/../beside/secret.txt", "/work/../../etc/passwd"]) attempt(path, () => fs.readFileSync(path, "utf8"));
