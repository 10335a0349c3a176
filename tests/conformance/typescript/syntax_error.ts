// a mistake in the types' syntax points at its line
// exit = 1
// raises = "SyntaxError"
// stderr = ["main.ts", "SyntaxError"]
const x: = 5;
