// HA03 calls the host without end
// limits = { host_calls = 20 }
// expect = ["denied", "limited:host_calls"]
// --- twin
if (typeof callTool !== "function") throw new Error("no tools");
console.log("ok");
// --- attack
for (let number = 0; number < 100_000; number++) {
  try { await callTool("nothing", { number }); } catch (error) { if (number > 500) throw error; }
}
