//! TypeScript driver: how does TypeScript become JavaScript, as in the guest?
//!
//! By the guest's own transform, which lies beside this file: Node as distributions build it has
//! none, and another one would understand another language. What is here stands for the guest's
//! module loader: files that end like TypeScript are transformed, and an import may leave out the
//! extension, or name the file that a compiler would make.

'use strict';
const fs = require('fs');
const path = require('path');
const vm = require('vm');
const { fileURLToPath, pathToFileURL } = require('url');

require('./transform.js');
const bundle = globalThis.__sucrase;
delete globalThis.__sucrase;
const sucrase = bundle.sucrase();
const parser = { parse: bundle['sucrase/dist/parser/index.js']().parse, types: bundle['sucrase/dist/parser/tokenizer/types.js']().TokenType };

const syntaxErrorAt = (message, file, line, column) => {
  const failure = new SyntaxError(message);
  failure.stack = `SyntaxError: ${message}\n    at ${file}${line === undefined ? '' : `:${line}:${column}`}`;
  return failure;
};
let namespaces;
const withoutNamespaces = (text, file, hasJsx) => {
  const source = `${__dirname}/namespaces.js`;
  namespaces ??= vm.runInThisContext(fs.readFileSync(source, 'utf8'), { filename: source })(undefined, { syntaxErrorAt });
  return namespaces(parser, text, file, hasJsx);
};
// How JSX becomes calls: as `tsc` does it by itself, or as a comment of the file says.
const jsxOptions = (text) => {
  const said = (name) => new RegExp(`/\\*[\\s*]*@${name}\\s+([^\\s*]+)`).exec(text)?.[1];
  const options = { production: true, jsxRuntime: said('jsxRuntime') === 'automatic' || said('jsxImportSource') ? 'automatic' : 'classic' };
  for (const [option, name] of [['jsxPragma', 'jsx'], ['jsxFragmentPragma', 'jsxFrag'], ['jsxImportSource', 'jsxImportSource']]) if (said(name)) options[option] = said(name);
  return options;
};
const transform = (text, file) => {
  const hasJsx = /\.[jt]sx$/.test(file), hasTypes = !file.endsWith('.jsx');
  const transforms = [...(hasTypes ? ['typescript'] : []), ...(hasJsx ? ['jsx'] : [])];
  try {
    const plain = hasTypes && /\b(?:namespace|module)\s+[\w$]|@[\w$(]/.test(text) ? withoutNamespaces(text, file, hasJsx) : text;
    return sucrase.transform(plain, { transforms, disableESTransforms: true, keepUnusedImports: false, filePath: file, ...(hasJsx ? jsxOptions(text) : {}) }).code;
  } catch (error) {
    if (error instanceof SyntaxError && error.isPlaced) throw error;
    const at = /\((\d+):(\d+)\)\s*$/.exec(`${error.message}`);
    const message = `${error.message}`.replace(/^Error transforming [^:]*: /, '').replace(/\s*\(\d+:\d+\)\s*$/, '');
    throw syntaxErrorAt(message, file, at?.[1], at?.[2]);
  }
};

const isTypeScript = (file) => /\.(?:[mc]?ts|tsx|jsx)$/.test(file);
const isFile = (file) => fs.statSync(file, { throwIfNoEntry: false })?.isFile();
const extensions = ['', '.js', '.mjs', '.cjs', '.json', '.ts', '.mts', '.tsx', '.jsx'];
const findFile = (file) => {
  for (const extension of extensions) if (isFile(file + extension)) return file + extension;
  if (/\.[mc]?js$/.test(file)) for (const extension of ['ts', 'tsx']) if (isFile(file.replace(/js$/, extension))) return file.replace(/js$/, extension);
  for (const extension of extensions.slice(1)) if (isFile(`${file}/index${extension}`)) return `${file}/index${extension}`;
  return undefined;
};
const placeOf = (name, from) => {
  if (name.startsWith('file:')) return fileURLToPath(name);
  return /^\.{0,2}(\/|$)/.test(name) ? path.resolve(path.dirname(from?.startsWith('file:') ? fileURLToPath(from) : from ?? '/work/.'), name) : undefined;
};

module.exports = (hasModuleSyntax) => ({
  transform,
  hooks: {
    resolve(name, context, next) {
      try { return next(name, context); } catch (error) {
        const place = placeOf(name, context.parentURL);
        const found = place === undefined ? undefined : findFile(place);
        if (found === undefined) throw error;
        return { url: pathToFileURL(found).href, shortCircuit: true };
      }
    },
    load(url, context, next) {
      const file = url.startsWith('file:') ? fileURLToPath(url) : '';
      if (!isTypeScript(file)) return next(url, context);
      const source = transform(fs.readFileSync(file, 'utf8').replace(/^\ufeff/, '').replace(/^#!.*/, ''), file);
      const isCommon = !/\.mts$/.test(file) && !hasModuleSyntax(source) && /\b(module\.exports|exports\.\w|exports\[|require\s*\()/.test(source);
      return { format: isCommon ? 'commonjs' : 'module', source, shortCircuit: true };
    },
  },
});
