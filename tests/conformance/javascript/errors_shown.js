// console.log of errors: class, code, cause, several, old classes
class OwnError extends Error { constructor(message, options) { super(message, options); this.field = 1; } }
const shown = (value) => require('util').inspect(value).replace(/\n +(?:at|\.\.\.) .*/g, '');
console.log(shown(new OwnError('x', { cause: new TypeError('inner') })));
console.log(shown(new AggregateError([new Error('one')], 'many')).replace(/,(?=\n)/g, ''));
function Old(message) { this.message = message; Error.captureStackTrace(this, Old); }
Old.prototype = Object.create(Error.prototype, { name: { value: 'Old' }, constructor: { value: Old } });
console.log(shown(new Old('legacy')));
const { AssertionError } = require('assert');
const failed = new AssertionError({ message: 'own', actual: 1, expected: 2, operator: '==' });
console.log(`${failed}`, shown(failed).split('\n')[0], failed.stack.split('\n')[0]);
console.log(shown(Object.assign(new Error('coded'), { code: 'E_OWN' })));
