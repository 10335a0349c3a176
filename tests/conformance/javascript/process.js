// arguments, environment, standard streams
// arguments = ["one", "two words"]
// environment = { MODE = "test" }
// stdin = "line 1\nline 2\n"
// stderr = ["to stderr", "warned"]
console.log(process.argv.slice(2), process.env.MODE, typeof process.env.HOME, process.cwd());
process.stdout.write("no newline;");
process.stdout.write("\n");
console.error("to stderr");
console.warn("warned");
let text = "";
for await (const chunk of process.stdin) text += chunk;
console.log(text.split("\n"));
