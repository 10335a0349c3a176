// expect: process-spawn:12 exec-of-decoded-text:14
import cp = require('child_process');

abstract class Runner<T extends object> {
  declare readonly kind: 'eval' | 'exec';
  constructor(protected readonly run: (text: string) => T, private eval?: Function) {}
  abstract exec(text: string): Promise<T>;
}
enum Kind { eval = 'eval', exec = 'exec' }
const decode = <T,>(text: string): T => JSON.parse(atob(text)) as T;
console.log(decode<{ eval: string }>('e30=').eval, Kind.exec, Runner);
cp.execSync('ls');
const text: string = atob('MQ==');
console.log(eval(text!));
