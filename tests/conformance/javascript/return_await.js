// a script may return although it waits
const value = await Promise.resolve(5);
if (value === 5) {
  console.log('returned');
  return { value };
}
console.log('not reached');
