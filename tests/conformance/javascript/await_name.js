// in a script, `await` is an ordinary name
await: for (;;) break await;
class aw\u0061it {}
const add = (await) => await + 1;
console.log('script', add(5));
async function waits() { return await Promise.resolve('inside'); }
waits().then(console.log);
