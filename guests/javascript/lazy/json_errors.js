//! Errors of JSON: what do they say of a text that is none, and of a value that has no text?
//!
//! Programs print these messages, so they are those of Node. They are made after the engine has failed.
(native, internal) => {
  const CONTEXT = 10;
  const special = ['NaN', 'Infinity', 'undefined', '[object Object]'];
  const placed = (text, at) => {
    const before = text.slice(0, at).split('\n');
    return ` in JSON at position ${at} (line ${before.length} column ${before.at(-1).length + 1})`;
  };
  const unexpected = (text, at) => {
    if (at >= text.length) return 'Unexpected end of JSON input';
    const character = text[at];
    if (character === '"') return `Unexpected string${placed(text, at)}`;
    if (/[-0-9]/.test(character)) return `Unexpected number${placed(text, at)}`;
    if (special.includes(text)) return `"${text}" is not valid JSON`;
    let shown = `"${text}"`;
    if (text.length > 2 * CONTEXT) {
      const start = at < CONTEXT ? 0 : at - CONTEXT, isEnd = at >= text.length - CONTEXT;
      shown = `${start > 0 ? '...' : ''}"${text.slice(start, isEnd ? text.length : at + CONTEXT)}"${isEnd ? '' : '...'}`;
    }
    return `Unexpected token '${String.fromCodePoint(text.codePointAt(at))}', ${shown} is not valid JSON`;
  };

  // Each takes the place of a token and gives that after it, or throws what is wrong.
  const wrong = (message) => { throw { message }; };
  const skip = (text, at) => { while (text[at] === ' ' || text[at] === '\n' || text[at] === '\r' || text[at] === '\t') at++; return at; };
  const string = (text, at) => {
    for (at++; ; at++) {
      const character = text[at];
      if (character === undefined) return wrong(`Unterminated string${placed(text, at)}`);
      if (character === '"') return at + 1;
      if (character < ' ') return wrong(`Bad control character in string literal${placed(text, at)}`);
      if (character !== '\\') continue;
      const escape = text[++at];
      if (escape === undefined) return wrong(`Unterminated string${placed(text, at)}`);
      if (escape === 'u') {
        for (let i = 1; i <= 4; i++) if (!/[0-9a-fA-F]/.test(text[at + i] ?? '')) return wrong(at + i >= text.length ? `Bad Unicode escape${placed(text, text.length)}` : `Bad Unicode escape${placed(text, at + i)}`);
        at += 4;
      } else if (!'"\\/bfnrt'.includes(escape)) return wrong(`Bad escaped character${placed(text, at)}`);
    }
  };
  const isDigit = (text, at) => text[at] >= '0' && text[at] <= '9';
  const digits = (text, at) => { while (isDigit(text, at)) at++; return at; };
  const number = (text, at) => {
    if (text[at] === '-' && !isDigit(text, ++at)) return wrong(`No number after minus sign${placed(text, at)}`);
    if (text[at] === '0') {
      if (isDigit(text, ++at)) return wrong(`Unexpected number${placed(text, at)}`);
    } else at = digits(text, at);
    if (text[at] === '.' && !isDigit(text, ++at)) return wrong(`Unterminated fractional number${placed(text, at)}`);
    at = digits(text, at);
    if (text[at] === 'e' || text[at] === 'E') {
      at++;
      if (text[at] === '+' || text[at] === '-') at++;
      if (!isDigit(text, at)) return wrong(`Exponent part is missing a number${placed(text, at)}`);
      at = digits(text, at);
    }
    return at;
  };
  const word = (text, at) => {
    const wanted = { t: 'true', f: 'false', n: 'null' }[text[at]];
    if (wanted === undefined) return wrong(unexpected(text, at));
    for (let i = 0; i < wanted.length; i++) if (text[at + i] !== wanted[i]) return wrong(unexpected(text, at + i));
    return at + wanted.length;
  };
  const propertyName = (text, at, otherwise) => {
    if (text[at] !== '"') return wrong(at >= text.length && otherwise === undefined ? unexpected(text, at) : `${otherwise}${placed(text, at)}`);
    at = skip(text, string(text, at));
    if (text[at] !== ':') return wrong(`Expected ':' after property name${placed(text, at)}`);
    return skip(text, at + 1);
  };
  // The faults of the whole text; nesting is a list, because it may be deep.
  const check = (text) => {
    const open = [];
    let at = skip(text, 0);
    for (;;) {
      const character = text[at];
      if (character === '{' || character === '[') {
        const isObject = character === '{';
        at = skip(text, at + 1);
        if (text[at] !== (isObject ? '}' : ']')) {
          open.push(isObject);
          if (isObject) at = propertyName(text, at, "Expected property name or '}'");
          continue;
        }
        at++;
      } else if (character === '"') at = string(text, at);
      else if (character === '-' || isDigit(text, at)) at = number(text, at);
      else at = word(text, at);
      for (;;) {
        at = skip(text, at);
        if (open.length === 0) return at < text.length ? wrong(`Unexpected non-whitespace character after JSON${placed(text, at).replace(' in JSON', '')}`) : undefined;
        const isObject = open.at(-1);
        if (text[at] === ',') {
          at = skip(text, at + 1);
          if (isObject) at = propertyName(text, at, 'Expected double-quoted property name');
          break;
        }
        if (text[at] !== (isObject ? '}' : ']')) return wrong(`Expected ',' or ${isObject ? "'}' after property value" : "']' after array element"}${placed(text, at)}`);
        open.pop();
        at++;
      }
    }
  };

  const nameOf = (value) => internal.constructorName(value) ?? 'Object';
  const keyText = (key, holder) => (Array.isArray(holder) ? `index ${key}` : `property '${key}'`);
  // The first circle below a value, as the objects on the way to it.
  const circle = (root) => {
    const way = [{ value: root }], on = new Set([root]), done = new Set();
    const isThing = (value) => typeof value === 'object' && value !== null && typeof value.toJSON !== 'function';
    way[0].keys = Object.keys(root);
    while (way.length > 0) {
      const top = way.at(-1), key = top.keys.shift();
      if (key === undefined) { on.delete(top.value); done.add(top.value); way.pop(); continue; }
      const value = top.value[key];
      if (!isThing(value) || done.has(value)) continue;
      if (on.has(value)) return { steps: way.slice(way.findIndex((step) => step.value === value)), last: keyText(key, top.value) };
      on.add(value);
      way.push({ value, keys: Object.keys(value), name: keyText(key, top.value) });
    }
    return undefined;
  };
  const describeCircle = (value) => {
    const found = circle(value);
    if (found === undefined) return 'Converting circular structure to JSON';
    const { steps, last } = found, lines = [`--> starting at object with constructor '${nameOf(steps[0].value)}'`];
    const line = (step) => `|     ${step.name} -> object with constructor '${nameOf(step.value)}'`;
    lines.push(...steps.slice(1, 3).map(line));
    if (steps.length > 4) lines.push('|     ...');
    if (steps.length > 3) lines.push(line(steps.at(-1)));
    return ['Converting circular structure to JSON', ...lines, `--- ${last} closes the circle`].join('\n    ');
  };

  return (error, subject) => {
    if (!(error instanceof Error)) return;
    const say = (message) => Object.defineProperty(error, 'message', { value: message, writable: true, configurable: true });
    if (error instanceof SyntaxError) {
      try { check(subject); } catch (fault) { if (!(fault instanceof Error)) say(fault.message); }
    } else if (error.message === 'circular reference') say(describeCircle(subject));
    else if (error.message === 'BigInt are forbidden in JSON.stringify') say('Do not know how to serialize a BigInt');
  };
}
