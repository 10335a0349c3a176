// expect:
const answer = await fetch('https://example.com/data.json');
console.log(await answer.json(), eval('1 + 1'));
fetch('https://example.com/').then((one) => one.text()).then((text) => console.log(text));
