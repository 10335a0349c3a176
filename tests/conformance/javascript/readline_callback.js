// readline: a question with a callback, a prompt
// stdin = "Ada\none\ntwo\n"
const readline = require('readline');
const rl = readline.createInterface({ input: process.stdin, output: process.stdout, prompt: '> ' });
rl.question('Name? ', (name) => {
  console.log(`Hello, ${name}`);
  rl.prompt();
  rl.on('line', (line) => { console.log(`got ${line}`); rl.prompt(); }).on('close', () => console.log('bye'));
});
