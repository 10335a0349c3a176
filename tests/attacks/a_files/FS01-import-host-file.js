// FS01 imports a file of the host as a module
// expect = ["denied", "absent"]
// --- twin
require("fs").writeFileSync("lib.js", "export const answer = 42;");
const lib = await import("./lib.js");
if (lib.answer !== 42) throw new Error("wrong module");
console.log("ok");
// --- attack
for (const path of ["/etc/passwd", "{{outside}}/secret.txt", "../../../../{{outside}}/secret.txt", "file://{{outside}}/secret.txt"]) {
  try { console.log("got", Object.keys(await import(path))); } catch (error) { console.log("denied", String(error)); }
}
