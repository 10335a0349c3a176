// an uncaught error shows the program's file and line
// exit = 1
// raises = "TypeError"
// stderr = ["TypeError", "main.js:6"]
// stderr_lacks = ["prelude", "glovebox"]
function outer() { null.x; }
console.log("before");
outer();
