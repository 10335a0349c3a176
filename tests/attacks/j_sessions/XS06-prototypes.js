// XS06 pollutes the prototypes that the next run will use
// expect = ["virtual"]
// --- twin
if ({}.polluted !== undefined) throw new Error("polluted");
console.log("ok");
// --- attack
Object.prototype.polluted = "got";
Array.prototype.join = () => "got";
globalThis.left = "got";
JSON.stringify = () => "got";
const log = console.log;
console.log = (...things) => log("got", ...things);
process.env.LEFT = "got";
// --- next
if ({}.polluted !== undefined || [1, 2].join() !== "1,2" || typeof left !== "undefined" || JSON.stringify(1) !== "1" || process.env.LEFT) throw new Error("polluted");
console.log("ok");
