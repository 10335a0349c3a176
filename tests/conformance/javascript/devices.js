// files of /dev, as natively
// stdin = "first\nsecond\n"
const fs = require('fs');

fs.writeFileSync('/dev/null', 'unseen');
fs.appendFileSync('/dev/null', 'unseen');
console.log(fs.readFileSync('/dev/null', 'utf8').length, fs.existsSync('/dev/null'));
console.log(JSON.stringify(fs.readFileSync('/dev/stdin', 'utf8')));
fs.writeFileSync('/dev/stdout', 'through /dev/stdout\n');
fs.writeFileSync('/dev/fd/1', 'through /dev/fd/1\n');
const zeros = Buffer.alloc(4, 1);
const file = fs.openSync('/dev/zero', 'r');
console.log(fs.readSync(file, zeros, 0, 3), zeros);
fs.closeSync(file);
for (const wrong of [() => fs.readFileSync('/dev/absent'), () => fs.unlinkSync('/dev/null')]) {
  try {
    wrong();
    console.log('done');
  } catch {
    console.log('refused');
  }
}
