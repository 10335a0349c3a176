//! Results that can be looked at: in which formats does a program show a value?
//!
//! As in notebooks: a value may have a method `Symbol.for("Jupyter.display")` that gives its forms by their MIME types, `display` shows
//! what it is given, and a last expression that has such a method is shown too.
(native, internal) => {
  const FORMS = Symbol.for('Jupyter.display');
  const { define, inspect } = internal;
  const { Buffer } = globalThis;
  const { stringify } = JSON;
  const { entries } = Object;

  const isMediaType = /^[A-Za-z\d][\w!#$&^.+-]*\/[A-Za-z\d][\w!#$&^.+-]*$/;
  const isJson = (type) => type === 'application/json' || type.endsWith('+json');
  const isText = (type) => type.startsWith('text/') || type.endsWith('+xml') || ['application/javascript', 'application/xml', 'application/x-latex'].includes(type);
  const bytesOf = (content) => {
    if (typeof content === 'string') return Buffer.from(content, 'base64');
    return content instanceof ArrayBuffer ? Buffer.from(content) : Buffer.from(content.buffer, content.byteOffset, content.byteLength);
  };
  // The content as JSON, and its size as the host counts it.
  const contentOf = (type, content) => {
    if (!isMediaType.test(type)) throw new TypeError(`\`${type.slice(0, 100)}\` is no MIME type`);
    if (isJson(type)) {
      const text = stringify(content);
      if (text === undefined) throw new TypeError(`the content of \`${type}\` must be JSON`);
      return [text, Buffer.byteLength(text)];
    }
    if (isText(type)) {
      if (typeof content !== 'string') throw new TypeError(`the content of \`${type}\` must be a string`);
      return [stringify(content), Buffer.byteLength(content)];
    }
    if (typeof content !== 'string' && !ArrayBuffer.isView(content) && !(content instanceof ArrayBuffer)) throw new TypeError(`the content of \`${type}\` must be bytes or base64`);
    const bytes = bytesOf(content);
    return [`"${bytes.toString('base64')}"`, bytes.length];
  };
  const send = (origin, data) => {
    let problem;
    try {
      const parts = [];
      let size = 0;
      for (const [type, content] of entries(data)) {
        if (content === undefined || content === null) continue;
        const [text, length] = contentOf(type, content);
        parts.push(`${stringify(type)}:${text}`);
        size += type.length + length;
      }
      if (parts.length === 0) return;
      problem = internal.sendResult(`{"origin":"${origin}","data":{${parts.join(',')}}}`, size);
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
