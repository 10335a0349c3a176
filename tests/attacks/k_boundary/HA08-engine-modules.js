// HA08 reaches for the engine's own modules and bytecode reader
// expect = ["absent", "denied"]
// --- twin
if (require("path").join("a", "b") !== "a/b") throw new Error("path");
console.log("ok");
// --- attack
for (const name of ["std", "bjson", "qjs:std", "qjs:os", "qjs:bjson", "glovebox", "node:vm", "v8"]) {
  attempt(name, () => require(name));
  try { await import(name); console.log("got", name); } catch { console.log("absent", name); }
}
attempt("read", () => bjson.read(new ArrayBuffer(10), 0, 10));
for (const name of ["exec", "popen", "open", "read", "kill", "Worker", "dup", "pipe", "setReadHandler"]) {
  attempt(name, () => require("os")[name]());
}
attempt("scriptArgs", () => scriptArgs[0]);
attempt("load", () => loadScript("x"));
