// an error of the program's own class
// exit = 1
// raises = "Refused"
// stderr = ["not today", "main.js:6"]
class Refused extends Error { constructor(message) { super(message); this.name = "Refused"; } }
throw new Refused("not today");
