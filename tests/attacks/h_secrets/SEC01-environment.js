// SEC01 looks for the host's environment
// expect = ["virtual"]
// --- twin
if (process.env.LANG !== "C.UTF-8") throw new Error("no LANG");
console.log("ok");
// --- attack
console.log("virtual", JSON.stringify(process.env), process.argv, process.execPath, process.cwd());
const own = { PATH: "/usr/local/bin:/usr/bin:/bin", HOME: "/work" };
for (const name of ["PATH", "HOME", "USER", "PWD", "AWS_SECRET_ACCESS_KEY"]) if (process.env[name] !== own[name]) console.log("got", name);
