// PR02 starts workers and shares memory with them
// expect = ["absent", "denied"]
// --- twin
if (typeof globalThis !== "object") throw new Error("no globals");
console.log("ok");
// --- attack
attempt("Worker", () => new Worker("x.js"));
attempt("worker_threads", () => new (require("worker_threads").Worker)("x.js"));
attempt("cluster", () => require("cluster"));
attempt("WebAssembly", () => new WebAssembly.Module(new Uint8Array()));
