// an error in a script that returns has the line of the source
// exit = 1
// raises = "RangeError"
// stderr = ["main.js:7", "RangeError: too far"]
if (globalThis.never) return;

throw new RangeError('too far');
