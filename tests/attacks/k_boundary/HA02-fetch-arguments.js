// HA02 gives the host's functions what they do not expect
// expect = ["denied", "absent", "virtual"]
// --- twin
console.log("ok");
// --- attack
const circle = {};
circle.circle = circle;
const odd = [undefined, null, NaN, -0, 2 ** 53 + 1, "\ud800", { __proto__: null }, [], circle, () => 1, Symbol("x"), 10n, new Proxy({}, { get() { throw new Error("trap"); } })];
for (const thing of odd) {
  try { console.log("got", await callTool(thing, thing)); } catch (error) { console.log("denied", String(error && error.name)); }
  try { console.log("got", await callTool("a", thing)); } catch (error) { console.log("denied", String(error && error.name)); }
  try { console.log("got", (await fetch(thing, thing)).status); } catch (error) { console.log("denied", String(error && error.name)); }
}
