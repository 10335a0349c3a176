// takes links, a table and text out of an HTML string without a DOM
const page = `<!DOCTYPE html><html><head><title>Caf&eacute; &amp; Bar</title><style>a { color: red }</style></head>
<body><h1 class="big">Menu</h1><!-- hidden <a href="/no">no</a> -->
<ul id=list><li data-price="3.50">Espresso</li><li data-price='4.20' class="hot new">Cappuccino &#9749;</li><li>Water<br/>free</li></ul>
<table><tr><th>Day</th><th>Open</th></tr><tr><td>Mon</td><td>8&ndash;18</td></tr><tr><td>Sun</td><td>closed</td></tr></table>
<a href="/about?x=1&amp;y=2">About <b>us</b></a><a href='https://other.example/' target=_blank>Other</a><script>var s = "<a href='/script'>";</script>
</body></html>`;
const ENTITIES = { amp: '&', lt: '<', gt: '>', quot: '"', nbsp: '\u00a0', eacute: 'é', ndash: '–' };
const decode = (s) => s.replace(/&(#x?[\da-f]+|\w+);/gi, (all, name) => (name[0] === '#' ? String.fromCodePoint(name[1] === 'x' ? parseInt(name.slice(2), 16) : +name.slice(1)) : ENTITIES[name] ?? all));
const VOID = new Set(['br', 'img', 'meta', 'input', 'hr', 'link']);

function parse(html) {
  const root = { tag: '#root', attributes: {}, children: [] };
  const stack = [root];
  const pattern = /<!--[\s\S]*?-->|<!doctype[^>]*>|<(script|style)[^>]*>[\s\S]*?<\/\1>|<\/(\w+)\s*>|<(\w+)((?:\s+[\w-]+(?:\s*=\s*(?:"[^"]*"|'[^']*'|[^\s>]+))?)*)\s*(\/?)>|([^<]+)/gi;
  for (const [, raw, close, open, attributes = '', self, text] of html.matchAll(pattern)) {
    if (close) { while (stack.length > 1 && stack.pop().tag !== close.toLowerCase()); }
    else if (open) {
      const node = { tag: open.toLowerCase(), attributes: {}, children: [] };
      for (const [, name, , a, b, c] of attributes.matchAll(/([\w-]+)(\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s>]+)))?/g)) node.attributes[name] = decode(a ?? b ?? c ?? '');
      stack.at(-1).children.push(node);
      if (!self && !VOID.has(node.tag)) stack.push(node);
    } else if (text?.trim()) stack.at(-1).children.push(decode(text.replace(/\s+/g, ' ')));
  }
  return root;
}
function* find(node, test) {
  for (const child of node.children ?? []) {
    if (typeof child === 'string') continue;
    if (test(child)) yield child;
    yield* find(child, test);
  }
}
const textOf = (node) => (typeof node === 'string' ? node : node.children.map(textOf).join(node.tag === 'li' ? ' ' : ''));
const root = parse(page);
const all = (tag) => [...find(root, (n) => n.tag === tag)];
console.log(textOf(all('title')[0]), all('h1')[0]);
console.log(all('a').map((a) => ({ text: textOf(a), url: new URL(a.attributes.href, 'https://cafe.example/menu/').href })));
console.log(all('li').map((li) => [textOf(li), Number(li.attributes['data-price'] ?? 0), (li.attributes.class ?? '').split(' ').filter(Boolean)]));
const [head, ...rows] = all('tr').map((tr) => tr.children.map(textOf));
console.table(rows.map((row) => Object.fromEntries(row.map((cell, i) => [head[i], cell]))));
console.log(JSON.stringify(root.children[0].children[1].children[1]), [...find(root, (n) => n.attributes.id === 'list')][0].children.length);
console.log(page.replace(/<(script|style)[\s\S]*?<\/\1>|<[^>]+>/g, ' ').replace(/\s+/g, ' ').trim());
const render = (node, depth = 0) => (typeof node === 'string' ? '  '.repeat(depth) + node.trim() : `${'  '.repeat(depth)}<${node.tag}>\n${node.children.map((c) => render(c, depth + 1)).join('\n')}`);
console.log(render([...find(root, (n) => n.tag === 'table')][0]));
