// a template engine with loops, conditions, filters and escaping
class Template {
  static filters = { upper: (s) => String(s).toUpperCase(), money: (n, symbol = '$') => symbol + Number(n).toFixed(2), join: (a, by = ', ') => a.join(by), default: (v, d) => v ?? d, date: (d) => new Date(d).toISOString().slice(0, 10), length: (x) => x.length };
  constructor(text) { this.text = text; this.tree = this.#parse(text); }
  #parse(text) {
    const root = { type: 'root', body: [] }, stack = [root];
    for (const part of text.split(/(\{\{.*?\}\}|\{%.*?%\})/s)) {
      const top = stack.at(-1);
      if (part.startsWith('{{')) top.body.push({ type: 'value', expression: part.slice(2, -2).trim() });
      else if (part.startsWith('{%')) {
        const [word, ...rest] = part.slice(2, -2).trim().split(/\s+/);
        if (word === 'for') { const node = { type: 'for', name: rest[0], list: rest[2], body: [] }; top.body.push(node); stack.push(node); }
        else if (word === 'if') { const node = { type: 'if', test: rest.join(' '), body: [], other: [] }; top.body.push(node); stack.push(node); }
        else if (word === 'else') { top.kept = top.body; top.body = top.other; }
        else if (word === 'end') { if (stack.length < 2) throw new SyntaxError('unexpected end'); if (top.kept) { top.other = top.body; top.body = top.kept; } stack.pop(); }
        else throw new SyntaxError(`unknown tag "${word}"`);
      } else if (part) top.body.push({ type: 'text', text: part });
    }
    if (stack.length > 1) throw new SyntaxError(`"${stack.at(-1).type}" is not closed`);
    return root.body;
  }
  static lookup(path, scope) {
    if (/^(["']).*\1$/.test(path)) return path.slice(1, -1);
    if (!isNaN(path)) return Number(path);
    return path.split('.').reduce((v, k) => v?.[k], scope);
  }
  #evaluate(expression, scope) {
    const [path, ...filters] = expression.split(/\s*\|\s*/);
    return filters.reduce((value, filter) => {
      const [name, ...args] = filter.split(/:|,/).map((s) => s.trim());
      const fn = Template.filters[name];
      if (!fn) throw new ReferenceError(`no filter "${name}"`);
      return fn(value, ...args.map((a) => Template.lookup(a, scope)));
    }, Template.lookup(path, scope));
  }
  #test(text, scope) { const [, not, path] = /^(not\s+)?(\S+)$/.exec(text) ?? []; const value = Template.lookup(path, scope); const truth = Array.isArray(value) ? value.length > 0 : Boolean(value); return not ? !truth : truth; }
  render(scope, body = this.tree) {
    return body.map((node) => {
      switch (node.type) {
        case 'text': return node.text;
        case 'value': return String(this.#evaluate(node.expression, scope) ?? '').replace(/[&<>"]/g, (c) => `&#${c.charCodeAt(0)};`);
        case 'if': return this.render(scope, this.#test(node.test, scope) ? node.body : node.other);
        case 'for': return [...(Template.lookup(node.list, scope) ?? [])].map((item, index, all) => this.render({ ...scope, [node.name]: item, loop: { index: index + 1, last: index === all.length - 1 } }, node.body)).join('');
      }
    }).join('');
  }
}
const invoice = new Template(`Invoice for {{ customer.name | upper }} ({{ customer.note | default:'no note' }})
{% for item in items %}{{ loop.index }}. {{ item.name }}: {{ item.price | money }}{% if item.tags %} [{{ item.tags | join:"/" }}]{% else %} -{% end %}{% if not loop.last %};
{% end %}{% end %}
Due {{ due | date }}, {{ items | length }} items, {{ missing.deep.value }}{{ 5 | money:'€' }}`);
console.log(invoice.render({ customer: { name: 'Tom & "Jerry"' }, due: 1.7e12, items: [{ name: '<Lamp>', price: 19.9, tags: ['a', 'b'] }, { name: 'Chair', price: '45', tags: [] }] }));
for (const bad of ['{% for x in y %}', '{% end %}', '{% while %}', '{{ a | nothing }}']) {
  try { console.log(new Template(bad).render({ a: 1 })); } catch (error) { console.log(`${error.name}: ${error.message}`); }
}
console.log(invoice.tree.length, invoice.tree[1], new Template('').render({}) === '');
