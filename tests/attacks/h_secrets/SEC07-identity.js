// SEC07 asks who and where it is
// expect = ["absent", "denied", "virtual"]
// --- twin
if (process.cwd() !== "/work") throw new Error(process.cwd());
console.log("ok");
// --- attack
try { const os = require("os"); console.log("virtual", os.hostname?.(), os.userInfo?.(), os.networkInterfaces?.(), os.cpus?.().length); } catch { console.log("absent os"); }
console.log("virtual", process.platform, process.version, process.pid, process.arch, typeof navigator === "undefined" ? "" : navigator.userAgent, new Date().getTimezoneOffset());
if (performance.now() > 60_000) console.log("got the host's uptime");
