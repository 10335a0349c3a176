// MEM01 asks for gigabytes
// expect = ["limited:memory", "denied"]
// --- twin
if (new Uint8Array(32 << 20).length !== 32 << 20) throw new Error("short");
console.log("ok");
// --- attack
attempt("buffer", () => new ArrayBuffer(2 ** 31 - 1));
attempt("text", () => "a".repeat(2 ** 29));
attempt("array", () => new Array(2 ** 28).fill(0));
