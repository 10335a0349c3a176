// process.exitCode is what the program ends with
// exit = 4
process.exitCode = 4;
console.log("done");
