// an `await` that nothing can settle ends the program
// exit = 13
// stderr = ["unsettled top-level await"]
console.log('before');
await new Promise(() => {});
console.log('never');
