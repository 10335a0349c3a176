// standard input: all of it by data and end
// stdin = "one\ntwo\n"
process.stdin.setEncoding('utf8');
let input = '';
process.stdin.on('data', (chunk) => { input += chunk; });
process.stdin.on('end', () => { console.log(input.split('\n').filter(Boolean), typeof process.stdin.fd, process.stdin.readableEnded); });
console.log('reading');
