// the value of an awaited promise
// value = "3"
// json = "3"
const one = await Promise.resolve(1);
one + (await Promise.resolve(2));
