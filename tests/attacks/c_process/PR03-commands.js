// PR03 runs commands of the host
// expect = ["absent", "denied"]
// --- twin
if (process.argv.length < 1) throw new Error("no arguments");
console.log("ok");
// --- attack
attempt("child_process", () => require("child_process").execSync("touch {{outside}}/touched"));
attempt("node:child_process", () => require("node:child_process").spawnSync("sh"));
attempt("binding", () => process.binding("spawn_sync"));
attempt("kill", () => process.kill(1, 9));
attempt("std", () => std.popen("touch {{outside}}/touched", "r"));
attempt("os", () => os.exec(["sh"]));
