// Intl.Segmenter divides texts
// only = "other versions of ICU have other data"
const rows = String.raw`
[...new Intl.Segmenter('en').segment('a👨‍👩‍👧é🇩🇪')].map(s=>s.segment).join('|')
[...new Intl.Segmenter('en',{granularity:'word'}).segment('Hello, world! It\'s 3.14.')].map(s=>s.segment+(s.isWordLike?'*':'')).join('|')
[...new Intl.Segmenter('en',{granularity:'sentence'}).segment('Hello world. How are you? Fine! Mr. Smith said "ok." 3.5 is it.')].map(s=>s.segment).join('|')
new Intl.Segmenter('en',{granularity:'sentence'}).segment('A b. C d.').containing(6)
new Intl.Segmenter('de').resolvedOptions()
new Intl.Segmenter('en',{granularity:'x'})
[...new Intl.Segmenter('fr',{granularity:'sentence'}).segment('Bonjour. Ça va ? Oui… non.\nNouvelle ligne')].map(s=>s.segment).join('|')
`;
const rowsOfLocales = String.raw`
Intl.Segmenter.supportedLocalesOf([L,'xx'])
`;
const locales = ['en-US'];
const lines = (text) => text.trim().split('\n');
const value = (row, L) => {
  try {
    const found = new Function('L', `return ${row}`)(L);
    return typeof found === 'string' ? found : JSON.stringify(found);
  } catch (error) { return `${error.name}: ${error.message}`; }
};
for (const row of lines(rows)) console.log(`${row} -> ${value(row)}`);
for (const row of lines(rowsOfLocales)) for (const locale of locales) console.log(`${locale} ${row} -> ${value(row, locale)}`);
