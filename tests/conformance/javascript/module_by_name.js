// a file that ends in .mjs is a module: strict, and its promises come before its ticks
// name = "main.mjs"
process.nextTick(() => console.log('tick'));
Promise.resolve().then(() => console.log('promise')).then(() => console.log('second promise'));
queueMicrotask(() => console.log('microtask'));
setTimeout(() => console.log('timer'), 0);
setImmediate(() => console.log('immediate'));
console.log(typeof this, (function () { return this; })());
try { undeclared = 1; } catch (error) { console.log(error.message); }
try { Object.freeze([1]).push(2); } catch (error) { console.log(error.message); }
