// a tokenizer with sticky regular expressions, a parser and an evaluator
const TOKENS = { number: /\d+(?:\.\d+)?/y, name: /[a-z_]\w*/iy, operator: /[-+*\/^(),=]/y, space: /\s+/y };

function* tokenize(text) {
  let at = 0;
  outer: while (at < text.length) {
    for (const [kind, pattern] of Object.entries(TOKENS)) {
      pattern.lastIndex = at;
      const match = pattern.exec(text);
      if (match) {
        if (kind !== 'space') yield { kind, value: match[0], at };
        at = pattern.lastIndex;
        continue outer;
      }
    }
    throw new SyntaxError(`unexpected "${text[at]}" at ${at}`);
  }
}

class Parser {
  static levels = { '=': [1, 'right'], '+': [2], '-': [2], '*': [3], '/': [3], '^': [5, 'right'] };
  constructor(text) { this.tokens = [...tokenize(text)]; this.index = 0; }
  get peek() { return this.tokens[this.index]?.value; }
  take(expected) {
    const token = this.tokens[this.index++];
    if (!token || (expected && token.value !== expected)) throw new SyntaxError(`expected ${expected ?? 'a value'}, got ${token?.value ?? 'end'}`);
    return token;
  }
  parse() { const tree = this.expression(0); if (this.peek) throw new SyntaxError(`unexpected ${this.peek}`); return tree; }
  expression(min) {
    let left = this.unary();
    for (;;) {
      const [level, side] = Parser.levels[this.peek] ?? [];
      if (!level || level < min) return left;
      const op = this.take().value;
      left = { op, left, right: this.expression(side === 'right' ? level : level + 1) };
    }
  }
  unary() {
    if (this.peek === '-') { this.take(); return { op: 'neg', left: this.expression(4) }; }
    if (this.peek === '(') { this.take(); const inner = this.expression(0); this.take(')'); return inner; }
    const token = this.take();
    if (token.kind === 'number') return { value: Number(token.value) };
    if (token.kind !== 'name') throw new SyntaxError(`unexpected ${token.value}`);
    if (this.peek !== '(') return { name: token.value };
    this.take('(');
    const args = [];
    while (this.peek !== ')') { args.push(this.expression(0)); if (this.peek === ',') this.take(); }
    this.take(')');
    return { call: token.value, args };
  }
}

const evaluate = (node, scope) => {
  if ('value' in node) return node.value;
  if ('name' in node) { if (!(node.name in scope)) throw new ReferenceError(`${node.name} is unknown`); return scope[node.name]; }
  if ('call' in node) return scope[node.call](...node.args.map((a) => evaluate(a, scope)));
  if (node.op === '=') return (scope[node.left.name] = evaluate(node.right, scope));
  const a = evaluate(node.left, scope), b = node.right && evaluate(node.right, scope);
  return { '+': () => a + b, '-': () => a - b, '*': () => a * b, '/': () => a / b, '^': () => a ** b, neg: () => -a }[node.op]();
};
const scope = Object.assign(Object.create(null), { pi: Math.PI, max: Math.max, sqrt: Math.sqrt });
console.log(new Parser('1 + 2 * -x ^ 2').parse());
console.dir(new Parser('f(1, g(2))').parse(), { depth: null });
for (const text of ['1 + 2 * 3', '(1 + 2) * 3', '2 ^ 3 ^ 2', '-2 ^ 2', 'x = y = 7', 'x * y / 2', 'max(1, x, sqrt(16))', '10 / 4 - 1', '1 / 0', 'z + 1', '2 +', '3 $ 4', '(1', '1 2']) {
  try { console.log(text.padEnd(20), '=', evaluate(new Parser(text).parse(), scope)); } catch (error) { console.log(text.padEnd(20), '!', `${error}`); }
}
console.log(scope);
