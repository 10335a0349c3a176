// standard input: readable and read(), with an encoding
// stdin = "grüße 😀\nsecond\n"
process.stdin.setEncoding('utf8');
let text = '';
process.stdin.on('readable', () => { let part; while ((part = process.stdin.read()) !== null) text += part; });
process.stdin.on('end', () => console.log(JSON.stringify(text)));
console.log('reading');
