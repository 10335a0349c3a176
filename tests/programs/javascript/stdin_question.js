// asks questions with readline promises
// stdin = "Ann\n34\nno\nyes\n"
import readline from 'node:readline/promises';
import { stdin as input, stdout as output } from 'node:process';

const rl = readline.createInterface({ input, output });
const name = await rl.question('What is your name? ');
const age = Number(await rl.question(`Hello ${name}, how old are you? `));
console.log(`In ten years you will be ${age + 10}.`);
let answer;
let tries = 0;
do {
  answer = await rl.question('Continue? (yes/no) ');
  tries++;
} while (answer !== 'yes' && tries < 5);
console.log({ name, age, answer, tries });
rl.close();
