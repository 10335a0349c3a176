// expect: dynamic-code:3 dynamic-code:4 dynamic-code:5 dynamic-code:6
const text = process.argv[2];
console.log(eval(text));
console.log(new Function('a', `return a + ${text}`)(1));
(0, eval)(text);
require('vm').runInNewContext(text);
