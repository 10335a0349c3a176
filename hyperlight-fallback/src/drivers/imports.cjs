//! JavaScript imports: how does a text of the console import modules, and a module have a value?
//!
//! V8's console knows scripts only. So the imports of a module are made before, and become
//! constants of the script; they stay for later evaluations, as in the guest. `import()` becomes a
//! call of a function that finds modules from where the text would lie. Lines keep their numbers.

'use strict';
const path = require('path');
const { pathToFileURL } = require('url');
const vm = require('vm');

const MODULES = Symbol.for('glovebox.modules');
const place = (name) => `globalThis[Symbol.for("glovebox.modules")].${name}`;

// The parser that comes with Node in our images. Without it the driver runs modules as such, and they
// keep nothing.
let acorn;
try { acorn = require('/usr/share/nodejs/acorn'); } catch { /* another image */ }

const parse = (text) => {
  const options = { ecmaVersion: 'latest', allowHashBang: true };
  try { return acorn.parse(text, { ...options, sourceType: 'module' }); } catch { /* no module, or wrong */ }
  try { return acorn.parse(text, { ...options, sourceType: 'script', allowAwaitOutsideFunction: true }); } catch { return undefined; }
};
const visit = (node, found) => {
  if (Array.isArray(node)) for (const item of node) visit(item, found);
  else if (typeof node?.type === 'string') {
    if (node.type === 'ImportExpression' || node.type === 'MetaProperty') found.push(node);
    for (const key of Object.keys(node)) if (key !== 'type') visit(node[key], found);
  }
};
const nameOf = (node) => (node.type === 'Literal' ? JSON.stringify(node.value) : node.name);
const constants = ({ specifiers }, from) => specifiers.map(({ type, local, imported }) => {
  if (type === 'ImportNamespaceSpecifier') return `${local.name} = ${from}`;
  return `{ ${type === 'ImportDefaultSpecifier' ? 'default' : nameOf(imported)}: ${local.name} } = ${from}`;
});
const importedNames = ({ specifiers = [] }) => specifiers.flatMap(({ type, imported }) => {
  if (type === 'ImportDefaultSpecifier') return ['default'];
  return type === 'ImportSpecifier' ? [imported.name ?? imported.value] : [];
});
const optionsOf = ({ attributes }) => (attributes?.length > 0 ? { with: Object.fromEntries(attributes.map(({ key, value }) => [key.name ?? key.value, value.value])) } : undefined);

const withoutImports = (text) => {
  const tree = parse(text);
  if (tree === undefined) return undefined;
  const imports = [], edits = [];
  let head = '';
  const edit = (start, end, put = '') => edits.push({ start, end, put: put + '\n'.repeat(text.slice(start, end).split('\n').length - 1) });
  for (const node of tree.body) {
    const { type, start, end, declaration, source } = node;
    if (source) {
      const isImport = type === 'ImportDeclaration';
      imports.push({ name: source.value, options: optionsOf(node), needed: isImport ? importedNames(node) : [] });
      const names = isImport ? constants(node, place(`made[${imports.length - 1}]`)) : [];
      if (names.length > 0) head += `const ${names.join(', ')}; `;
      edit(start, end, ';');
    } else if (type === 'ExportNamedDeclaration') edit(start, declaration ? declaration.start : end, declaration ? '' : ';');
    else if (type === 'ExportDefaultDeclaration') edit(start, declaration.start, declaration.id || !/^(Function|Class)Declaration$/.test(declaration.type) ? '' : 'void ');
  }
  const found = [];
  visit(tree, found);
  for (const node of found) {
    if (node.type === 'ImportExpression') edit(node.start, node.start + 'import'.length, place('load'));
    else if (node.meta.name === 'import') edit(node.start, node.end, place('meta'));
  }
  edits.sort((a, b) => b.start - a.start);
  for (const { start, end, put } of edits) text = text.slice(0, start) + put + text.slice(end);
  return { imports, text: head + text.replace(/^#!.*/, '') };
};

// A function that imports as a text in this file would; none in older ones of Node.
const loader = (file) => {
  const importModuleDynamically = vm.constants?.USE_MAIN_CONTEXT_DEFAULT_LOADER;
  return importModuleDynamically && new vm.Script('(name, options) => import(name, options)', { filename: file, importModuleDynamically }).runInThisContext();
};

// The text of a module that leaves the value of its last expression where the other function finds it.
const withValue = (text) => {
  const last = acorn && parse(text)?.body.at(-1);
  if (last?.type !== 'ExpressionStatement') return text;
  Object.defineProperty(globalThis, MODULES, { value: {}, configurable: true });
  const { start, end } = last.expression;
  return `${text.slice(0, start)}${place('value')} = (${text.slice(start, end)}\n)${text.slice(end)}`;
};
const valueOf = () => globalThis[MODULES]?.value;

// The text as a script, when its imports are made; nothing if there are none, or where this cannot be.
const scriptOf = (text, file) => {
  if (!acorn || !/\b(import|export)\b/.test(text)) return undefined;
  const load = loader(file);
  const found = load && withoutImports(text);
  if (!found || found.text === text) return undefined;
  const url = pathToFileURL(file).href;
  const meta = { url, filename: file, dirname: path.dirname(file), main: true, resolve: (name) => (/^(\.{0,2}\/|file:)/.test(name) ? new URL(name, url).href : require('module').isBuiltin(name) ? `node:${name.replace(/^node:/, '')}` : pathToFileURL(globalThis.require.resolve(name)).href) };
  const made = [];
  Object.defineProperty(globalThis, MODULES, { value: { load, meta, made }, configurable: true });
  const run = async () => {
    for (const { name, options, needed } of found.imports) {
      const module = await load(name, options);
      const missing = needed.find((one) => !(one in module));
      if (missing !== undefined) throw new SyntaxError(`The requested module '${name}' does not provide an export named '${missing}'`);
      made.push(module);
    }
    return found.text;
  };
  return run;
};

module.exports = { scriptOf, valueOf, withValue };
