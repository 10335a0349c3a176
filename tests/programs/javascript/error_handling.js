// errors: classes, causes, finally, aggregate, JSON, rejections
class ValidationError extends Error {
  constructor(field, message, options) { super(message, options); this.name = this.constructor.name; this.field = field; }
}
class RequiredError extends ValidationError { constructor(field) { super(field, `${field} is required`); } }

function validate(user) {
  const errors = [];
  if (!user.name) errors.push(new RequiredError('name'));
  if (!/^\S+@\S+$/.test(user.email ?? '')) errors.push(new ValidationError('email', `bad email: ${user.email}`));
  if (errors.length > 1) throw new AggregateError(errors, 'several problems');
  if (errors.length) throw errors[0];
  return { ...user, valid: true };
}
for (const user of [{ name: 'Ann', email: 'a@b.c' }, { name: '', email: 'a@b.c' }, { name: 'Bob' }, {}]) {
  try {
    console.log(validate(user));
  } catch (error) {
    if (error instanceof AggregateError) console.log(error.name, error.message, error.errors.map((e) => `${e.name}(${e.field})`));
    else if (error instanceof RequiredError) console.log('required:', error.field, error instanceof ValidationError, error.constructor.name);
    else console.log(String(error), Object.entries(error), JSON.stringify(error));
  } finally {
    console.log('checked', JSON.stringify(user));
  }
}
const order = [];
const f = () => { try { order.push('try'); return 'from try'; } catch { order.push('catch'); } finally { order.push('finally'); } };
const g = () => { try { throw new Error('lost'); } finally { return 'from finally'; } };
console.log(f(), order, g());
try {
  try { null.property; } catch (cause) { throw new Error('wrapped', { cause }); }
} catch (error) {
  console.log(error.message, error.cause instanceof TypeError, error.cause.name, 'stack' in error, typeof error.stack);
}
for (const thrown of ['a string', 42, null, undefined, { code: 'E' }, [1, 2]]) { try { throw thrown; } catch (e) { console.log(typeof e, e); } }
async function main() {
  const results = await Promise.allSettled([Promise.reject(new ValidationError('f', 'async')), (async () => { throw 'text'; })(), Promise.resolve(1).then(() => { throw new RangeError('late'); }), Promise.reject(new Error('x')).catch((e) => e.message), Promise.resolve('ok').finally(() => 'ignored')]);
  for (const { status, value, reason } of results) console.log(status, value, reason?.name ?? reason, reason?.message);
  try { await Promise.reject(new RequiredError('awaited')); } catch ({ name, field, message }) { console.log({ name, field, message }); }
  const safe = async (promise) => promise.then((v) => [null, v], (e) => [e, null]);
  const [error, value] = await safe(Promise.reject(new Error('tuple')));
  console.log(error.message, value, await safe(5 > 3 ? Promise.resolve('fine') : null));
  const unwound = [];
  const using = async (name, fn) => { unwound.push(`open ${name}`); try { return await fn(); } finally { unwound.push(`close ${name}`); } };
  await using('a', () => using('b', async () => { throw new Error('inner'); })).catch((e) => unwound.push(e.message));
  console.log(unwound);
  process.on('uncaughtException', (e, origin) => { console.log('uncaught:', e.message, origin); });
  setTimeout(() => { throw new Error('from a timer'); }, 1);
  await new Promise((r) => setTimeout(r, 5));
  console.log(Error('without new').message, new Error(undefined).message === '', new Error(5).message, `${new TypeError('t')}`, Error.prototype.name, new Error('m', { cause: 0 }).cause, Object.prototype.toString.call(new Error()));
}
main();
