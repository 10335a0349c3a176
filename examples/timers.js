// Shows output that streams while the program runs, timers and top-level `await`: `glovebox run examples/timers.js`.

const pause = (milliseconds) => new Promise((resume) => setTimeout(resume, milliseconds));

for (const step of ["pick up", "look closer", "put back"]) {
  console.log(`${step} ...`);
  await pause(200);
}
console.log("done");
