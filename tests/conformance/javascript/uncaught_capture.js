// an uncaught error of a class of its own shows class, message, cause and fields
// exit = 1
// raises = "ValidationError"
// stderr = ["ValidationError: age must be positive", "main.js:13", "field: 'age'", "[cause]: TypeError: inner"]
// stderr_lacks = ["at ValidationError", "at new", "name:"]
class ValidationError extends Error {
  constructor(message, options) {
    super(message, options);
    Object.assign(this, { name: 'ValidationError', field: 'age' });
    Error.captureStackTrace(this, this.constructor);
  }
}
throw new ValidationError('age must be positive', { cause: new TypeError('inner') });
