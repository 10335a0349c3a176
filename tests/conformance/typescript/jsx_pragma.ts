// JSX as comments of the file say
// name = "main.jsx"
/** @jsx h */
const h = (tag, props, ...inner) => [tag, props, ...inner];
console.log(JSON.stringify(<p id="a">text {1 + 1}</p>));
console.log(JSON.stringify(<p>{[1, 2].map((n) => <i>{n}</i>)}</p>));
