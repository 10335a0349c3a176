// the language itself
class Animal { #name; static count = 0; constructor(name) { this.#name = name; Animal.count++; } get name() { return this.#name; } toString() { return `<${this.name}>`; } }
class Dog extends Animal { speak() { return `${super.toString()} barks`; } }
console.log(new Dog("Rex").speak(), Animal.count, `${new Dog("x")}`);
const { a, b: { c = 5 } = {}, ...rest } = { a: 1, d: 2, e: 3 };
console.log(a, c, rest, [...new Set([1, 1, 2])], Math.max(...[3, 9, 4]));
function* numbers() { let n = 0; while (true) { const back = yield n++; if (back) n = back; } }
const generator = numbers();
console.log(generator.next().value, generator.next().value, generator.next(10).value);
console.log([1, 2, 3, 4].filter((n) => n % 2).map((n) => n ** 2).reduce((x, y) => x + y), [3, 1, 2].toSorted(), [1, [2, [3]]].flat(Infinity), [1, 2, 3].at(-1));
console.log(null ?? "default", undefined?.x, (0 || "or"), 2 ** 53 + 2, 0.1 + 0.2, 7 % -3, 2n ** 70n, (255).toString(16), parseInt("12px"), Number(""));
console.log("a-b-c".replaceAll("-", "+"), "abc".padStart(5, "*"), "x".codePointAt(0), "é".normalize("NFD").length, "日本".length, [..."👍x"].length);
console.log(JSON.stringify({ date: new Date(0), undef: undefined, nan: NaN, nested: [1, { a: "é" }] }), JSON.parse('{"a":[1,2]}').a);
label: for (const i of [1, 2]) { for (const j of [1, 2]) { if (j === 2) continue label; console.log(i, j); } }
try { null.x; } catch ({ name }) { console.log(name); } finally { console.log("finally"); }
console.log(Object.entries({ x: 1 }), Object.fromEntries([["y", 2]]), Object.groupBy([1, 2, 3], (n) => (n % 2 ? "odd" : "even")).odd);
console.log(typeof structuredClone, new Proxy({}, { get: (_, key) => `no ${key}` }).anything, Reflect.ownKeys({ a: 1, [Symbol.iterator]: 2 }).length);
console.log(/(?<year>\d{4})-(?<month>\d\d)/.exec("on 2024-02-29").groups.year, "aXbX".split("X"), [..."a1b22".matchAll(/\d+/g)].map((m) => m[0]));
console.log([console.log, console.info, console.error, console.groupCollapsed].map((method) => method.name).join());
