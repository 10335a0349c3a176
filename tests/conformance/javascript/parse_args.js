// util.parseArgs: short and long options, groups, values, negation, tokens, errors
// arguments = ["--name=own", "file"]
const { parseArgs } = require('node:util');
const options = { verbose: { type: 'boolean', short: 'v' }, output: { type: 'string', short: 'o' }, tag: { type: 'string', short: 't', multiple: true }, name: { type: 'string' } };
const show = (args, more = {}) => {
  try { const { values, positionals, tokens } = parseArgs({ args, options, ...more }); console.log({ ...values }, positionals, tokens ?? ''); } catch (error) { console.log(error.code, error.message); }
};
show(['-v', 'x'], { allowPositionals: true });
show(['-vo', 'out.txt', '--tag=a', '-tb', '--tag', 'c']);
show(['--', '-v', 'x'], { allowPositionals: true });
show(['--output', '--', '-']);
show(['-o', '-x']);
show(['--unknown']);
show(['-x'], { allowPositionals: true });
show(['file']);
show(['--output']);
show(['--verbose=yes']);
show(['-oattached', '--verbose']);
show(['--other', 'value', '-z', '--output'], { strict: false });
show(['-v', '--output=f', 'p'], { allowPositionals: true, tokens: true });
console.log(parseArgs({ options: { name: { type: 'string' } }, allowPositionals: true }));
for (const bad of [{ a: { type: 'number' } }, { a: { type: 'string', short: 'ab' } }, { a: { type: 'string', multiple: 'yes' } }, { a: { type: 'string', default: 5 } }]) {
  try { parseArgs({ args: [], options: bad }); } catch (error) { console.log(error.code, error.message); }
}
console.log(parseArgs({ args: ['--b', '1'], options: { a: { type: 'string', default: 'x' }, b: { type: 'string', multiple: true, default: ['y'] }, c: { type: 'boolean', default: true } } }).values);
