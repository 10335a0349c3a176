// FS09 changes a read-only mount
// mounts = true
// expect = ["denied", "absent"]
// --- twin
const fs = require("fs");
fs.writeFileSync("/write/new.txt", "1");
fs.unlinkSync("/write/new.txt");
if (fs.readFileSync("/read/data.txt", "utf8") !== "data\n") throw new Error("unreadable");
console.log("ok");
// --- attack
const fs = require("fs");
attempt("write", () => fs.writeFileSync("/read/data.txt", "x"));
attempt("append", () => fs.appendFileSync("/read/data.txt", "x"));
attempt("create", () => fs.writeFileSync("/read/new.txt", "x"));
attempt("unlink", () => fs.unlinkSync("/read/data.txt"));
attempt("rename", () => fs.renameSync("/read/data.txt", "/read/other.txt"));
attempt("mkdir", () => fs.mkdirSync("/read/new"));
attempt("rmdir", () => fs.rmSync("/read/sub", { recursive: true }));
