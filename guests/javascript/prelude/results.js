//! Results that can be looked at: in which formats does a program show a value?
//!
//! As in notebooks: a value may have a method `Symbol.for("Jupyter.display")` that gives its forms by their MIME types, `display` shows
//! what it is given, and a last expression that has such a method is shown too.
(native, internal) => {
  const FORMS = Symbol.for('Jupyter.display');
  const { define, inspect } = internal;
  const { Buffer } = globalThis;
  const { stringify } = JSON;
  const { entries, fromEntries } = Object;

  const contentOf = (content) => {
    if (content instanceof ArrayBuffer) return Buffer.from(content).toString('base64');
    if (ArrayBuffer.isView(content)) return Buffer.from(content.buffer, content.byteOffset, content.byteLength).toString('base64');
    return content;
  };
  const send = (origin, data) => {
    let problem;
    try {
      problem = internal.sendResult(stringify({ origin, data: fromEntries(entries(data).map(([type, content]) => [type, contentOf(content)])) }));
    } catch (error) {
      problem = `${error}`;
    }
    if (problem !== undefined) internal.complain(`a result is not shown: ${problem}\n`);
  };
  const withText = (forms, value) => ('text/plain' in forms ? forms : { 'text/plain': inspect(value), ...forms });
  const isForms = (made) => typeof made === 'object' && made !== null;
  const isPromise = (made) => isForms(made) && typeof made.then === 'function';
  const formsOf = (value) => {
    const holds = (typeof value === 'object' && value !== null) || typeof value === 'function';
    return holds && !internal.isProxy(value) && typeof value[FORMS] === 'function' ? value[FORMS]() : undefined;
  };

  define('display', function display(value, options) {
    const made = options?.raw ? value : formsOf(value);
    if (isPromise(made)) return made.then((forms) => send('display', isForms(forms) ? withText(forms, value) : { 'text/plain': inspect(value) }));
    if (options?.raw) send('display', made);
    else send('display', isForms(made) ? withText(made, value) : { 'text/plain': inspect(value) });
    return undefined;
  });

  // The value of a last expression. What its forms have to wait for comes too late: `await display(value)` waits.
  internal.showValue = (value) => {
    let made;
    try { made = formsOf(value); } catch (error) { internal.complain(`a result is not shown: ${error}\n`); }
    if (isForms(made) && !isPromise(made)) send('value', withText(made, value));
  };
}
