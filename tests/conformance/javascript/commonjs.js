// require of built-in and of own modules
// files = { "old.js" = "exports.word = 'old'; module.exports.more = require('./more.js');", "more.js" = "module.exports = function () { return 'more'; };" }
const fs = require("fs");
const path = require("node:path");
const { EventEmitter } = require("events");
const assert = require("assert");
const util = require("util");
const old = require("./old.js");
console.log(old.word, old.more(), require("./old.js") === old);
assert.deepStrictEqual({ a: [1] }, { a: [1] });
try { assert.strictEqual(1, 2); } catch (error) { console.log(error.name); }
const emitter = new EventEmitter();
emitter.once("x", (value) => console.log("event", value));
console.log(emitter.emit("x", 1), emitter.emit("x", 2));
console.log(util.format("%s-%d", "a", 1), util.inspect({ a: [1, { b: 2 }] }), path.extname("a.b.js"));
fs.mkdirSync("d/e", { recursive: true });
fs.writeFileSync("d/e/f.txt", "one\n");
fs.appendFileSync("d/e/f.txt", "two\n");
console.log(fs.statSync("d/e/f.txt").size, fs.statSync("d").isDirectory(), fs.readFileSync("d/e/f.txt").length);
fs.promises.readFile("d/e/f.txt", "utf8").then((text) => console.log(text.trim().split("\n")));
