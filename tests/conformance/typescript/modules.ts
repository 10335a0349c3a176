// imports of TypeScript and JavaScript files
// files = { "lib.ts" = "export const typed: number = 20; export type T = string;", "plain.js" = "export const plain = 22;" }
import { typed, type T } from "./lib.ts";
import { plain } from "./plain.js";

const sum: number = typed + plain;
const text: T = `sum ${sum}`;
console.log(text);
