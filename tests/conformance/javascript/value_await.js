// the value of an awaited promise
// only = "Node tells no value of a program that awaits"
// value = "3"
// json = "3"
const one = await Promise.resolve(1);
one + (await Promise.resolve(2));
