// readline: questions, with a callback and as promises
// only = "lines that come between two questions are kept, as on a terminal"
// stdin = "Ada\n36\nyes\nrest\n"
const readline = require('node:readline/promises');
const rl = readline.createInterface({ input: process.stdin, output: process.stdout });
const name = await rl.question('Name? ');
await new Promise((resolve) => setTimeout(resolve, 2));
const age = await rl.question('Age? ');
console.log(`\n${name} is ${age}`);
rl.close();
const plain = require('readline').createInterface({ input: process.stdin, output: process.stdout, prompt: '> ' });
console.log(rl.closed);
plain.on('close', () => console.log('closed'));
plain.close();
try { plain.question('late?', () => {}); } catch (error) { console.log(error.code); }
