// text: regular expressions, templates, Unicode, sorting and padding
const text = `The quick brown fox jumps over the lazy dog. The dog barks; the fox doesn't care!
Email: jane.doe+test@example.co.uk, call +1 (555) 010-9999 on 2025-03-04 or 04/05/2024.`;
const words = text.toLowerCase().match(/[a-z']+/g);
const counts = words.reduce((map, word) => map.set(word, (map.get(word) || 0) + 1), new Map());
console.log([...counts].sort((a, b) => b[1] - a[1] || a[0].localeCompare(b[0])).slice(0, 5));
const iso = /(?<year>\d{4})-(?<month>\d\d)-(?<day>\d\d)/;
const match = iso.exec(text);
console.log(match.groups, match.index, { ...match.groups }.year, match[0], match);
console.log(text.replace(iso, '$<day>.$<month>.$<year>').split('\n')[1]);
for (const m of text.matchAll(/\b(\w)(\w*)(?=\.|!|;)/g)) console.log(m[0], m.index, m[1].toUpperCase() + m[2]);
console.log(text.match(/[\w.+-]+@[\w.-]+\.\w+/)[0], text.match(/\+?\d[\d ()-]{7,}\d/g), text.search(/fox/), /(?<!\d)\d{2}\/\d{2}/.test(text), 'aBc'.replace(/[A-Z]/g, (c, i) => `_${c.toLowerCase()}${i}`));
console.log('2020-01-02'.replace(/(\d+)-(\d+)-(\d+)/, "$3/$2/$1 [$&] $$ $`|$'"), 'a1b22'.split(/(\d+)/), 'a,b,,c'.split(','), 'abc'.split(''), 'x'.padStart(3, 'ab') + 'y'.padEnd(4, '-'));
const re = /a(\d)?/dgy;
console.log(re.exec('a1a'), re.lastIndex, re.flags, re.exec('a1a').indices, String(re), re.source);
console.log('héllo wörld'.normalize('NFD').replace(/\p{M}/gu, ''), 'ñ'.normalize('NFD').length, [...'👩‍👩‍👧 é'].length, '👍'.codePointAt(0).toString(16), String.fromCodePoint(128512), 'ß'.toUpperCase(), 'İ'.toLowerCase().length, '日本語'.at(-1), '\u{1F600}'.length, 'abc'.isWellFormed());
console.log(['résumé', 'resume', 'Zebra', 'apple', 'Äpfel', 'zoo', '10', '9'].sort(), ['résumé', 'resume', 'Zebra', 'apple', 'Äpfel', '10', '9'].sort((a, b) => a.localeCompare(b)), ['a10', 'a9', 'B1'].sort(new Intl.Collator('en', { numeric: true, sensitivity: 'base' }).compare));
const wrap = (s, width) => s.split(/\s+/).reduce((lines, word) => { const last = lines.at(-1); if ((last + ' ' + word).trim().length <= width) lines[lines.length - 1] = (last + ' ' + word).trim(); else lines.push(word); return lines; }, ['']);
console.log(wrap(text, 40).map((line, i) => `${String(i + 1).padStart(2)}| ${line}`).join('\n'));
const tag = (strings, ...values) => strings.raw.map((s, i) => s + (i < values.length ? `[${typeof values[i]}:${values[i]}]` : '')).join('');
console.log(tag`a\n${1}b${'x'}c${[1, 2]}`, String.raw`C:\new\${1}`, `multi
line ${1 + 1} ${`nested ${'deep'}`}`);
const slug = (s) => s.normalize('NFKD').replace(/[\u0300-\u036f]/g, '').toLowerCase().replace(/[^a-z0-9]+/g, '-').replace(/^-|-$/g, '');
const title = (s) => s.replace(/\b\w/g, (c) => c.toUpperCase()), camel = (s) => s.replace(/[-_ ](.)/g, (_, c) => c.toUpperCase());
console.log(slug(' Crème Brûlée & Co. '), title('hello wide world'), camel('to-camel_case now'), 'fooBarBaz'.replace(/([a-z])([A-Z])/g, '$1_$2').toLowerCase());
console.log(escape('ä b'), encodeURIComponent('a b&ü/?'), encodeURI('http://x/ü?q=a b'), decodeURIComponent('%E2%82%AC'), btoa('hello'), atob('aGk='), 'abc'.localeCompare('abd'), 'a' < 'B', 'trim '.trimEnd() + '|', 'abcabc'.lastIndexOf('b'), 'abc'.substring(2, 0), 'abc'.substr(-2, 1), 'abc'.slice(-2), 'x'.concat(1, null), 'a-b-c'.replaceAll('-', '+'));
const caesar = (s, n) => s.replace(/[a-z]/gi, (c) => { const base = c <= 'Z' ? 65 : 97; return String.fromCharCode(((c.charCodeAt(0) - base + n + 26) % 26) + base); });
const rle = (s) => s.replace(/(.)\1*/g, (run, c) => run.length + c), isPalindrome = (s) => { const t = s.toLowerCase().replace(/[^a-z]/g, ''); return t === [...t].reverse().join(''); };
console.log(caesar('Hello, World!', 3), caesar(caesar('abc', 5), -5), rle('aaabccd'), isPalindrome('A man, a plan, a canal: Panama'));
console.log(new Intl.ListFormat('en', { type: 'conjunction' }).format(['a', 'b', 'c']), new Intl.PluralRules('en', { type: 'ordinal' }).select(22), [...new Intl.Segmenter('en', { granularity: 'word' }).segment('Hi there!')].filter((s) => s.isWordLike).map((s) => s.segment));
