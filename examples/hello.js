// Shows that a plain program runs: `glovebox run examples/hello.js`.

const name = "JavaScript";
console.log(`Hello from ${name}, inside the glovebox!`);
