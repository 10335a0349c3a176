// EventTarget and console helpers
const target = new EventTarget();
target.addEventListener("x", (event) => console.log(event.type, event instanceof Event), { once: true });
target.dispatchEvent(new Event("x"));
target.dispatchEvent(new Event("x"));
console.group("outer");
console.log("inside");
console.group();
console.info("deeper");
console.groupEnd();
console.groupEnd();
console.debug("outside");
console.count(); console.count("x"); console.count();
console.table([{ a: 1, b: "x" }, { a: 2, b: "y" }]);
console.assert(true, "unseen");
console.dir({ a: { b: { c: { d: 1 } } } }, { depth: 0 });
