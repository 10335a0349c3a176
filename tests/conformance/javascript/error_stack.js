// Error.captureStackTrace, prepareStackTrace and stackTraceLimit
class ValidationError extends Error {
  constructor(message) {
    super(message);
    this.name = 'ValidationError';
    Error.captureStackTrace(this, this.constructor);
  }
}
function check() { throw new ValidationError('age must be positive'); }
try { check(); } catch (error) { console.log(error.stack.split('\n')[0], /^ +at check \(/.test(error.stack.split('\n')[1]), error.stack.includes('new ValidationError')); }
const holder = { name: 'Holder', message: 'text' };
Error.captureStackTrace(holder);
console.log(typeof holder.stack, holder.stack.split('\n')[0], Object.keys(holder));
const plain = {};
Error.captureStackTrace(plain);
console.log(plain.stack.split('\n')[0]);
function inner() { return new Error('deep'); }
function outer() { return inner(); }
const before = Error.stackTraceLimit;
Error.stackTraceLimit = 1;
console.log(before, outer().stack.split('\n').length);
Error.stackTraceLimit = 0;
console.log(outer().stack);
Error.stackTraceLimit = before;
Error.prepareStackTrace = (error, sites) => [error.message, sites.slice(0, 2).map((site) => `${site.getFunctionName()}:${typeof site.getLineNumber()}:${typeof site.getFileName()}`)];
console.log(outer().stack);
Error.prepareStackTrace = (error, sites) => `${error}: ${sites.length > 0}`;
console.log(outer().stack);
Error.prepareStackTrace = undefined;
console.log(outer().stack.split('\n')[0]);
function caller() {
  const prepare = Error.prepareStackTrace;
  Error.prepareStackTrace = (_, sites) => sites;
  const [, site] = new Error().stack;
  Error.prepareStackTrace = prepare;
  return [site.getFunctionName(), site.isNative(), site.isConstructor(), site.isToplevel?.() !== undefined, typeof `${site}`];
}
function callsIt() { return caller(); }
console.log(callsIt());
function LegacyError(message) { this.message = message; Error.captureStackTrace(this, LegacyError); }
LegacyError.prototype = Object.create(Error.prototype, { name: { value: 'LegacyError' }, constructor: { value: LegacyError } });
const legacy = new LegacyError('old style');
console.log(legacy instanceof Error, `${legacy}`, legacy.stack.split('\n')[0]);
