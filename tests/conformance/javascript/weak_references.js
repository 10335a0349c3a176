// the target of a WeakRef lives until the promises of its turn have run
const made = new WeakRef({ name: 'made' });
console.log(made.deref().name);
let held = { name: 'held' };
const reference = new WeakRef(held);
held = null;
console.log(reference.deref()?.name);
Promise.resolve().then(() => console.log(made.deref()?.name, reference.deref()?.name)).then(() => console.log(made.deref()?.name));
process.nextTick(() => console.log(made.deref()?.name));
const many = Array.from({ length: 1000 }, (_, i) => new WeakRef({ i }));
console.log(many.every((one, i) => one.deref().i === i));
const timer = setTimeout(() => {
  const later = new WeakRef([1]);
  console.log(later.deref());
  queueMicrotask(() => console.log(later.deref()));
}, 1);
