// HA08 reaches for the engine's own modules and bytecode reader
// expect = ["absent", "denied"]
// --- twin
if (require("path").join("a", "b") !== "a/b") throw new Error("path");
console.log("ok");
// --- attack
for (const name of ["std", "os", "bjson", "qjs:std", "qjs:os", "qjs:bjson", "glovebox", "node:vm", "v8"]) {
  attempt(name, () => require(name));
  try { await import(name); console.log("got", name); } catch { console.log("absent", name); }
}
attempt("read", () => bjson.read(new ArrayBuffer(10), 0, 10));
attempt("scriptArgs", () => scriptArgs[0]);
attempt("load", () => loadScript("x"));
