// Intl.Segmenter divides texts into characters and words
const show = (text, granularity) => [...new Intl.Segmenter('en', { granularity }).segment(text)].map((s) => s.segment + (s.isWordLike ? '*' : '')).join('|');
for (const text of ["Hi, it's 3.5 o_k x-y!  é", '👨‍👩‍👧e\u0301', '🇩🇪🇫🇷🇺', '\r\n\n\ta', '한국어 각', '👍🏽ok', 'e.g. 1,000.50 U.S.A. don’t', 'русский текст, да', '']) console.log(show(text, 'grapheme'), show(text, 'word'));
const segments = new Intl.Segmenter('en').segment('abc');
console.log(segments.containing(1), segments.containing(9), new Intl.Segmenter('en', { granularity: 'word' }).resolvedOptions(), Object.prototype.toString.call(new Intl.Segmenter()));
try { new Intl.Segmenter('en', { granularity: 'x' }); } catch (error) { console.log(error.name, error.message); }
console.log({ $: 1, a$b: 2, _x: 3 });
