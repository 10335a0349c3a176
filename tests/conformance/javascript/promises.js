// promises, async functions and their order
const log = (...things) => console.log(...things);
setTimeout(() => log("timeout"), 0);
queueMicrotask(() => log("microtask"));
Promise.resolve().then(() => log("then"));
(async () => { log("async start"); await null; log("async end"); })();
log("sync");
const slow = (value, ms) => new Promise((done) => setTimeout(done, ms, value));
log(await Promise.all([slow("a", 20), slow("b", 5)]));
log(await Promise.race([slow("slow", 50), slow("fast", 5)]));
log(await Promise.allSettled([Promise.reject(new Error("no")), 1]).then((all) => all.map((one) => one.status)));
log(await Promise.any([Promise.reject(1), slow("any", 1)]));
async function* ticks() { for (let n = 0; n < 3; n++) { await slow(0, 1); yield n; } }
for await (const tick of ticks()) log("tick", tick);
try { await Promise.reject(new TypeError("bad")); } catch (error) { log(error.message); }
