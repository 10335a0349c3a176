//! TypeScript's namespaces: which functions do they become?
//!
//! The transform removes a namespace as if it were a type, with the code inside. So each becomes a function here, before the transform sees
//! it, on the lines where it was: `var A; (function (A) { ... })(A || (A = {}));`.
(native, internal) => {
  const refuse = (text, file, at, message) => {
    const before = text.slice(0, at).split('\n');
    const error = internal.syntaxErrorAt(message, file, before.length, before.at(-1).length + 1);
    Object.defineProperty(error, 'isPlaced', { value: true });
    return error;
  };
  const HEAD = /(?<![\w$.])(export\s+)?(declare\s+)?(?:namespace|module)\s+([A-Za-z_$][\w$]*(?:\s*\.\s*[A-Za-z_$][\w$]*)*)\s*\{/g;
  const blank = (part) => part.replace(/[^\n]/g, ' ');

  return (parser, text, file, hasJsx) => {
    const { types } = parser;
    // What stands for a namespace while the tokens are looked for: a block in the same place.
    const heads = [];
    const copy = text.replace(HEAD, (whole, exported, ambient, name, at) => {
      heads.push({ at, exported: Boolean(exported), ambient: Boolean(ambient), names: name.split('.').map((part) => part.trim()), brace: at + whole.length - 1 });
      // After a word without a semicolon the block would belong to it.
      return `${blank(whole.slice(0, -1)).replace(/^ /, ';')}{`;
    });
    const { tokens } = parser.parse(copy, hasJsx, true, false);
    const opens = (token) => token.type === types.braceL || token.type === types.dollarBraceL || token.type === types.braceBarL;
    const closes = (token) => token.type === types.braceR || token.type === types.braceBarR;
    const openers = new Set([types.parenL, types.bracketL]), closers = new Set([types.parenR, types.bracketR]);
    const decorator = tokens.find((token) => token.type === types.at);
    if (decorator) throw refuse(text, file, decorator.start, 'decorators are not supported; call the function on the class or its method instead');

    const byBrace = new Map(heads.map((head) => [head.brace, head]));
    const edits = [];
    const edit = (start, end, put) => edits.push({ start, end, put });
    const textOf = (token) => copy.slice(token.start, token.end);
    const endOf = (first) => {
      let depth = 0;
      for (let i = first; i < tokens.length; i++) {
        if (opens(tokens[i])) depth++;
        else if (closes(tokens[i]) && --depth === 0) return i;
      }
      return tokens.length - 1;
    };
    const declared = (name, from, to) => {
      let depth = 0;
      for (let i = from; i < to; i++) {
        if (opens(tokens[i])) depth++;
        else if (closes(tokens[i])) depth--;
        else if (depth === 0 && textOf(tokens[i]) === name && i > from && ['class', 'function', 'enum', '*'].includes(textOf(tokens[i - 1]))) return true;
      }
      return false;
    };

    // The names that a declaration of variables makes, from the token after `const`, `let` or `var`.
    const variablesFrom = (i) => {
      const names = [];
      for (;;) {
        if (opens(tokens[i]) || tokens[i].type === types.bracketL) {
          for (let depth = 0; ; i++) {
            if (opens(tokens[i]) || openers.has(tokens[i].type)) depth++;
            else if (closes(tokens[i]) || closers.has(tokens[i].type)) { if (--depth === 0) break; } else if (tokens[i].type === types.name && !tokens[i].isType && tokens[i + 1].type !== types.colon && tokens[i - 1].type !== types.eq && tokens[i - 1].type !== types.dot) names.push(textOf(tokens[i]));
          }
        } else names.push(textOf(tokens[i]));
        // On to a comma of this declaration, if there is one.
        let depth = 0;
        for (i++; ; i++) {
          const token = tokens[i];
          if (token === undefined || token.type === types.eof) return names;
          if (token.isType) continue;
          if (opens(token) || openers.has(token.type)) depth++;
          else if ((closes(token) || closers.has(token.type)) && --depth < 0) return names;
          else if (depth === 0 && token.type === types.semi) return names;
          else if (depth === 0 && token.type === types.comma) break;
          else if (depth === 0 && [types._export, types._const, types._let, types._var, types._if, types._for, types._return, types._while].includes(token.type)) return names;
        }
        i++;
        const after = tokens.slice(i + 1).find((token) => !token.isType);
        const isName = tokens[i].type === types.name && (after === undefined || [types.eq, types.comma, types.semi].includes(after.type));
        if (!isName && !opens(tokens[i]) && tokens[i].type !== types.bracketL) return names;
      }
    };
    // What one `export` in a namespace exports: names that stay, names that may change, or none that exist when the program runs.
    const exportedBy = (i) => {
      const words = [];
      for (let j = i + 1; j < i + 7 && j < tokens.length; j++) words.push(textOf(tokens[j]));
      let at = 0;
      const fixed = (name) => ({ fixed: [name], open: [] });
      if (words[0] === 'declare' || words[0] === 'interface' || words[0] === 'type') return { fixed: [], open: [] };
      if (words[0] === 'const' && words[1] === 'enum') return fixed(words[2]);
      if (words[0] === 'const') return { fixed: variablesFrom(i + 2), open: [] };
      if (words[0] === 'let' || words[0] === 'var') return { fixed: [], open: variablesFrom(i + 2) };
      if (words[0] === 'async' || words[0] === 'abstract') at = 1;
      if (words[at] === 'function') return fixed(words[at + 1] === '*' ? words[at + 2] : words[at + 1]);
      if (words[at] === 'class' || words[at] === 'enum') return fixed(words[at + 1]);
      throw refuse(text, file, tokens[i].start, `\`export ${words[0]}\` is not supported in a namespace; export a declaration, such as \`export const\``);
    };

    // Rewrites what lies between two tokens; `owner` is the namespace around it.
    const rewrite = (from, to, owner) => {
      const made = new Set(), own = { fixed: [], open: [] };
      let depth = 0;
      for (let i = from; i < to; i++) {
        const token = tokens[i], head = token.type === types.braceL && !token.isType ? byBrace.get(token.start) : undefined;
        if (head) {
          const last = endOf(i);
          if (!head.ambient) one(head, i, last, owner, made, from, to);
          else if (owner) edit(head.at, head.at + (/^export\s+/.exec(text.slice(head.at))?.[0].length ?? 0), '');
          i = last;
        } else if (opens(token)) depth++;
        else if (closes(token)) depth--;
        else if (owner && depth === 0 && token.type === types._export) {
          const { fixed, open } = exportedBy(i);
          own.fixed.push(...fixed);
          own.open.push(...open);
          edit(token.start, token.end, ' '.repeat(token.end - token.start));
        }
      }
      return own;
    };
    const accessor = (owner, name) => `Object.defineProperty(${owner},"${name}",{get(){return ${name}},set(_set_){${name}=_set_},enumerable:true,configurable:true});`;
    const value = (owner, name) => `Object.defineProperty(${owner},"${name}",{value:${name},writable:true,enumerable:true,configurable:true});`;
    const one = (head, first, last, owner, made, from, to) => {
      const { names } = head, innermost = names.at(-1);
      const { fixed, open } = rewrite(first + 1, last, innermost);
      let start = '', end = '';
      names.forEach((name, level) => {
        const holder = level > 0 ? names[level - 1] : head.exported ? owner : undefined;
        const isNew = level > 0 || (!made.has(name) && !declared(name, from, to));
        if (level === 0) made.add(name);
        const keyword = level > 0 ? 'let ' : owner || !head.exported ? 'var ' : 'export var ';
        start += `${isNew ? `${keyword}${name};` : ';'}(function(${name}){`;
        end = `})(${holder ? `${name}=${holder}.${name}||(${holder}.${name}=${isNew ? '' : `${name}||`}{})` : `${name}||(${name}={})`});${end}`;
      });
      start += [...fixed, ...open].map((name) => accessor(innermost, name)).join('');
      const lines = text.slice(head.at, head.brace).replace(/[^\n]/g, '');
      edit(head.at, head.brace + 1, start + lines);
      edit(tokens[last].start, tokens[last].end, fixed.map((name) => value(innermost, name)).join('') + end);
    };

    rewrite(0, tokens.length, undefined);
    edits.sort((a, b) => a.start - b.start);
    let out = '', at = 0;
    for (const { start, end, put } of edits) {
      out += text.slice(at, start) + put;
      at = end;
    }
    return out + text.slice(at);
  };
}
