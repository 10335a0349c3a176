// CPU02 catches whatever is thrown at it
// limits = { fuel = 300_000_000 }
// expect = ["limited:fuel"]
// --- twin
try { throw new Error("x"); } catch { console.log("ok"); }
// --- attack
for (;;) { try { for (;;); } catch {} finally { continue; } }
