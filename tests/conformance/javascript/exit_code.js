// process.exit ends at once, whatever stands around it
// exit = 3
console.log("before");
setTimeout(() => console.log("never"), 1);
try {
  process.exit(3);
} finally {
  console.log("never either");
}
