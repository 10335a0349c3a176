// STK04 parses, prints and matches things that are nested too deeply
// expect = ["denied", "limited:stack", "limited:memory", "limited:fuel"]
// --- twin
if (JSON.stringify(JSON.parse("[".repeat(50) + "]".repeat(50))).length !== 100) throw new Error("lost");
console.log("ok");
// --- attack
attempt("parse", () => JSON.parse("[".repeat(1e6)));
attempt("object", () => JSON.parse('{"a":'.repeat(1e5)));
attempt("regex", () => new RegExp("(".repeat(1e5) + ")".repeat(1e5)).test("x") && null.x);
attempt("lookahead", () => new RegExp("(?=".repeat(1e5)));
attempt("eval", () => eval("(".repeat(1e5)));
attempt("braces", () => new Function("{".repeat(1e5)));
attempt("arrows", () => eval("x=>".repeat(1e5) + "1") && null.x);
let nested = [];
for (let depth = 0; depth < 1e5; depth++) nested = [nested];
attempt("toString", () => String(nested) === "" && null.x);
attempt("stringify", () => JSON.stringify(nested));
attempt("flat", () => nested.flat(Infinity).length === 0 && null.x);
let proxy = {};
for (let depth = 0; depth < 1e5; depth++) proxy = new Proxy(proxy, {});
attempt("proxy", () => proxy.x.y);
attempt("inspect", () => { console.log(nested); null.x; });
