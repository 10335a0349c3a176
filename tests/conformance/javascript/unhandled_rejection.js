// a rejection that nobody handles ends the program
// exit = 1
// raises = "Error"
// stderr = ["nobody looks"]
setTimeout(() => console.log("never"), 1000);
Promise.reject(new Error("nobody looks"));
