// turns a little Markdown into HTML
const source = `# Shopping *list*

Some **bold** text with \`code <b>\` and a [link](https://example.com?a=1&b=2).
Second line.

- milk
- eggs
  - free range
- bread

1. first
2. second

> A quote
> goes on

\`\`\`js
const x = a < b && c;
\`\`\`

| a | b |
|---|--:|
| 1 | 2 |
`;
const escapeHtml = (s) => s.replace(/[&<>"']/g, (c) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' })[c]);
const inline = (s) => escapeHtml(s)
  .replace(/`([^`]+)`/g, '<code>$1</code>')
  .replace(/\*\*(.+?)\*\*/g, '<strong>$1</strong>')
  .replace(/\*(.+?)\*/g, '<em>$1</em>')
  .replace(/\[([^\]]+)\]\(([^)\s]+)\)/g, '<a href="$2">$1</a>');
const rules = [
  [/^(#{1,6})\s+(.*)$/, ([, marks, text]) => `<h${marks.length}>${inline(text)}</h${marks.length}>`],
  [/^```(\w*)\n([\s\S]*?)\n```$/, ([, language, code]) => `<pre><code class="${language || 'text'}">${escapeHtml(code)}</code></pre>`],
  [/^>/, ({ input }) => `<blockquote>${inline(input.replace(/^> ?/gm, '').replace(/\n/g, ' '))}</blockquote>`],
  [/^\|/, ({ input }) => { const [head, marks, ...rows] = input.split('\n').map((r) => r.slice(1, -1).split('|').map((c) => c.trim())); const cell = (tag) => (c, i) => `<${tag}${marks[i].endsWith(':') ? ' align="right"' : ''}>${inline(c)}</${tag}>`; return `<table>${[head.map(cell('th')), ...rows.map((r) => r.map(cell('td')))].map((r) => `<tr>${r.join('')}</tr>`).join('')}</table>`; }],
  [/^([-*]|\d+\.)\s/, ({ input }) => { const ordered = /^\d/.test(input); const out = []; let depth = 0; for (const line of input.split('\n')) { const [, space, text] = line.match(/^(\s*)(?:[-*]|\d+\.)\s+(.*)$/); const level = space.length / 2 + 1; while (depth < level) { out.push(ordered ? '<ol>' : '<ul>'); depth++; } while (depth > level) { out.push('</ul>'); depth--; } out.push(`${'  '.repeat(level)}<li>${inline(text)}</li>`); } out.push(ordered ? '</ol>' : '</ul>'); return out.join('\n'); }],
];
const html = source.trim().split(/\n{2,}/).map((block) => {
  for (const [pattern, render] of rules) { const match = pattern.exec(block); if (match) return render(match); }
  return `<p>${inline(block).replace(/\n/g, '<br>\n')}</p>`;
});
console.log(html.join('\n'));
console.log(html.length, html.map((h) => h.match(/^<(\w+)/)[1]));
