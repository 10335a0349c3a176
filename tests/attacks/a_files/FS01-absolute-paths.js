// FS01 opens the host's files by their absolute paths
// expect = ["denied"]
// --- twin
const fs = require("fs");
fs.writeFileSync("own.txt", "mine");
if (fs.readFileSync("/work/own.txt", "utf8") !== "mine") throw new Error("not mine");
console.log("ok");
// --- attack
const fs = require("fs");
for (const path of ["/etc/passwd", "/etc/shadow", "/proc/self/environ", "/proc/1/cmdline", "{{outside}}/secret.txt", "/dev/mem"]) {
  attempt(path, () => fs.readFileSync(path, "utf8"));
}
for (const path of ["/etc", "/root", "/proc", "{{outside}}"]) attempt(path, () => fs.readdirSync(path));
