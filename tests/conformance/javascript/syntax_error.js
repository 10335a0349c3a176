// a syntax error points at its line
// exit = 1
// raises = "SyntaxError"
// stderr = ["SyntaxError", "main.js:5"]
let x = (1 + ;
