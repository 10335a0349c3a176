// timers keep their order, repeat and can be cleared
const seen = [];
setTimeout(() => seen.push("100"), 100);
setTimeout(() => seen.push("60"), 60);
const never = setTimeout(() => seen.push("never"), 5);
clearTimeout(never);
let count = 0;
const repeat = setInterval(() => { seen.push("i"); if (++count === 3) clearInterval(repeat); }, 15);
setImmediate(() => seen.push("now"));
setTimeout((...more) => { seen.push(more.join("")); console.log(seen.join(" ")); }, 140, "a", "b");
const start = performance.now();
await new Promise((done) => setTimeout(done, 20));
console.log(performance.now() - start >= 15);
