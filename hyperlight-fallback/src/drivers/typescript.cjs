//! TypeScript driver: how does TypeScript become JavaScript, as in the guest?
//!
//! By the guest's own transform and compiler, which lie beside this file: Node as distributions build
//! it has none, and another one would understand another language. The compiler is there if the
//! program may need it. What is here stands for the guest's module loader: files that end like
//! TypeScript are transformed, and an import may leave out the extension, or name the file that a
//! compiler would make.

'use strict';
const fs = require('fs');
const path = require('path');
const vm = require('vm');
const zlib = require('zlib');
const { fileURLToPath, pathToFileURL } = require('url');

const COMPILER = path.join(__dirname, 'compiler.js.gz');
const { readFileSync, existsSync } = fs;
const unpacked = (file) => zlib.gunzipSync(readFileSync(file)).toString();
const run = (file, text) => vm.runInThisContext(text, { filename: file });
const part = (name) => {
  const file = path.join(__dirname, name);
  return run(file, readFileSync(file, 'utf8'));
};
// What the guest's own code finds of its host.
const native = {
  readFile(file) { try { return readFileSync(file); } catch { return -1; } },
  decodeUtf8: (bytes) => bytes.toString(),
};
const internal = {
  path,
  lazy(name) {
    if (!existsSync(COMPILER)) throw new SyntaxError('decorators, `accessor` and namespaces need the TypeScript compiler; it is there if the text of the program has the words `import` or `require`, or one of those itself');
    return (lazy[name] ??= part(`${name}.js`)(native, internal));
  },
  // Without `process`, the compiler looks for nothing of Node.
  library: () => vm.compileFunction(`return ${unpacked(COMPILER)}`, ['process'], { filename: COMPILER })()(),
};
const lazy = {};

const SUCRASE = path.join(__dirname, 'sucrase.js.gz');
run(SUCRASE, unpacked(SUCRASE));
part('transform.js')(native, internal);
const { transform } = internal;

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
