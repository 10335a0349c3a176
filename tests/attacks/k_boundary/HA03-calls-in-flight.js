// HA03 starts calls and never takes their results
// limits = { host_calls = 1000 }
// expect = ["denied", "limited:host_calls", "trapped"]
// --- twin
console.log("ok");
// --- attack
const calls = [];
for (let number = 0; number < 10_000; number++) calls.push(callTool("nothing", { number }));
await Promise.all(calls);
