// STK01 recurses without end
// expect = ["denied", "limited:stack", "limited:fuel"]
// --- twin
const down = (depth) => (depth === 0 ? 0 : 1 + down(depth - 1));
if (down(300) !== 300) throw new Error("shallow");
console.log("ok");
// --- attack
function down() { down(); }
attempt("call", down);
attempt("apply", function apply() { Reflect.apply(apply, null, []); });
attempt("toString", () => { const x = { toString() { return "" + x; } }; return "" + x; });
attempt("again", () => { function f(...more) { f(...more, 1); } f(); });
down();
