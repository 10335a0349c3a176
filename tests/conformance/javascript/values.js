// values of all kinds, as the console shows them
console.log(1, "two", [3, "four", [5]], { six: 7, nested: { eight: [9] } }, null, undefined, true, 10n, -0);
console.log(new Map([["a", 1]]), new Set([1, "b"]), Symbol("s"), /x+/gi, [undefined, , 3]);
console.log("%s is %d years and %i, %f, %j %%", "Ada", 36, 3.7, 1.5, { a: 1 }, "more");
console.log([1.5, NaN, Infinity], "it's", ["it's", 'say "x"'], { "a-b": 1, 2: 3 });
class Point { constructor() { this.x = 1; } }
console.log(new Point(), [new Point()], function named() {}, () => 1, class A extends Point {});
console.log(new Date(0).toISOString(), [new Date(0)], new Uint8Array([1, 2, 3]), Object.create(null));
const circle = { name: "c" };
circle.self = circle;
console.log({ a: { b: { c: { d: 1 } } } }, [[[[1]]]], circle);
