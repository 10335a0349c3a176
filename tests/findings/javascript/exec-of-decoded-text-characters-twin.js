// expect:
const codes = [99, 111, 110];
let text = '';
for (const code of codes) text += String.fromCharCode(code);
console.log(text, codes.map((code) => String.fromCharCode(code)).join(''), 'abcdefghij'.split('').reverse().join(''));
console.log(eval('text.length'));
