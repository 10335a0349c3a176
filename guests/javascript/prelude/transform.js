//! TypeScript and JSX: how do they become JavaScript?
//!
//! By a fast transform, or by the TypeScript compiler where that is not enough. The same text runs in front of other interpreters, which
//! give it a `native` and an `internal` of their own.
(native, internal) => {
  const bundle = globalThis.__sucrase;
  delete globalThis.__sucrase;
  const sucrase = bundle?.sucrase();
  const parser = bundle && { parse: bundle['sucrase/dist/parser/index.js']().parse, types: bundle['sucrase/dist/parser/tokenizer/types.js']().TokenType };
  internal.syntaxErrorAt = (message, file, line, column) => {
    const failure = new SyntaxError(message);
    failure.stack = `SyntaxError: ${message}\n    at ${file}${line === undefined ? '' : `:${line}:${column}`}`;
    Object.defineProperty(failure, 'isPlaced', { value: true });
    return failure;
  };
  // How JSX becomes calls: as `tsc` does it by itself, or as a comment of the file says.
  const jsxOptions = (text) => {
    const said = (name) => new RegExp(`/\\*[\\s*]*@${name}\\s+([^\\s*]+)`).exec(text)?.[1];
    const options = { production: true, jsxRuntime: said('jsxRuntime') === 'automatic' || said('jsxImportSource') ? 'automatic' : 'classic' };
    for (const [option, name] of [['jsxPragma', 'jsx'], ['jsxFragmentPragma', 'jsxFrag'], ['jsxImportSource', 'jsxImportSource']]) if (said(name)) options[option] = said(name);
    return options;
  };
  // What the fast transform cannot do: decorators, `accessor`, and namespaces with code.
  const needsCompiler = (text, hasJsx) => {
    if (/\baccessor(?:\s*(?:#|\/\*)|\s+[\w$[\]"'\\\u0080-\uffff])/.test(text)) return true;
    if (!/\b(?:namespace|module)\s*(?:\/|\s[\w$\\\u0080-\uffff])|@[\w$([\\\u0080-\uffff]/.test(text)) return false;
    const { at, braceL, dot } = parser.types;
    let tokens;
    // What it cannot read, the compiler may; an error is said in its words.
    try { ({ tokens } = parser.parse(text, hasJsx, true, false)); } catch { return true; }
    const word = (token) => token && text.slice(token.start, token.end);
    return tokens.some((token, i) => token.type === at
      || ((word(token) === 'namespace' || word(token) === 'module') && word(tokens[i - 1]) !== 'declare' && [braceL, dot].includes(tokens[i + 2]?.type) && !/^["']/.test(word(tokens[i + 1]))));
  };
  internal.transform = (text, file) => {
    if (sucrase === undefined) throw new SyntaxError(`${file}: only programs in TypeScript can import TypeScript and JSX`);
    const hasJsx = /\.[jt]sx$/.test(file), hasTypes = !file.endsWith('.jsx');
    const transforms = [...(hasTypes ? ['typescript'] : []), ...(hasJsx ? ['jsx'] : [])];
    try {
      if (hasTypes && needsCompiler(text, hasJsx)) return internal.lazy('compiler')(text, file, hasJsx ? jsxOptions(text) : undefined);
      return sucrase.transform(text, { transforms, disableESTransforms: true, keepUnusedImports: false, filePath: file, ...(hasJsx ? jsxOptions(text) : {}) }).code;
    } catch (error) {
      if (error instanceof SyntaxError && error.isPlaced) throw error;
      const at = /\((\d+):(\d+)\)\s*$/.exec(`${error.message}`);
      const message = `${error.message}`.replace(/^Error transforming [^:]*: /, '').replace(/\s*\(\d+:\d+\)\s*$/, '');
      throw internal.syntaxErrorAt(message, file, at?.[1], at?.[2]);
    }
  };
}
