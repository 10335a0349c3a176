// expect: exec-of-decoded-text:10 dynamic-code:14 exec-of-decoded-text:15
import { Buffer } from 'node:buffer';

class Loader {
  private text: string;
  constructor(text: string) {
    this.text = Buffer.from(text, 'base64').toString();
  }
  run(): unknown {
    return eval(this.text as string);
  }
}
new Loader('MSArIDE=').run();
const execute = (code: string) => eval(code);
execute(atob('MSArIDE='));
