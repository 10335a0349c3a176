// expect:
// child_process.exec('ls')
const pattern = /exec (\w+)/g;
const database = { exec: (text) => text, spawn() { return this.exec('child_process'); } };

console.log(pattern.exec('exec ls'), /a/.exec('a'), database.exec('select 1'), database.spawn(), 'child_process');
