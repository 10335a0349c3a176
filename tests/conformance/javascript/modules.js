// ES modules and CommonJS of the program's own, and built-in ones
// files = { "lib.mjs" = "export const answer = 42; export default (n) => n * 2;", "old.js" = "exports.word = 'old'; exports.dir = __dirname;", "data.json" = "{\"a\": [1]}", "sub/deep.js" = "import { answer } from '../lib.mjs'; export const twice = answer * 2;" }
import double, { answer } from "./lib.mjs";
import fs from "node:fs";
import { join, basename } from "path";
import data from "./data.json" with { type: "json" };
import { twice } from "./sub/deep.js";

console.log(double(answer), data.a, twice, join("a", "..", "b"), basename("/x/y.txt"));
fs.writeFileSync("out.txt", "written");
console.log(fs.readFileSync("out.txt", "utf8"), fs.existsSync("nothing"), fs.readdirSync(".").sort().join());
const later = await import("./lib.mjs");
console.log(later.default(4), typeof import.meta.url);
try { await import("./nothing.js"); } catch (error) { console.log(error instanceof Error); }
