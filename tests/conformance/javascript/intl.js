// Intl: numbers, dates, plurals and lists in English
const { NumberFormat, DateTimeFormat, PluralRules, ListFormat } = Intl;
const money = new NumberFormat('en-US', { style: 'currency', currency: 'USD' });
console.log(money.format(1234.5), [1, 2.5].map(money.format), NumberFormat().format(1e6), new NumberFormat('de-DE').format(1234.5), new NumberFormat('en-US', { maximumFractionDigits: 1 }).format(0.25));
const day = new Date(Date.UTC(2024, 0, 5, 13, 4, 5));
console.log(new DateTimeFormat('en-US', { timeZone: 'UTC' }).format(day), new DateTimeFormat('en-US', { dateStyle: 'medium', timeZone: 'UTC' }).format(day.getTime()), new DateTimeFormat('en-GB', { year: 'numeric', month: 'short', day: '2-digit', timeZone: 'UTC' }).format(day));
console.log(new DateTimeFormat('en-US', { timeZone: 'UTC' }).resolvedOptions().timeZone, money.resolvedOptions().currency, `${Intl}`, typeof NumberFormat.supportedLocalesOf);
const ordinal = new PluralRules('en-US', { type: 'ordinal' }), cardinal = new PluralRules('en-US');
console.log([1, 2, 3, 4, 11, 12, 13, 21, 22, 103, 111].map((value) => ordinal.select(value)).join(' '), [0, 1, 2].map((value) => cardinal.select(value)).join(' '));
const list = new ListFormat('en', { style: 'long', type: 'conjunction' });
console.log(list.format([]), list.format(['a']), list.format(['a', 'b']), list.format(['a', 'b', 'c']), new ListFormat('en', { type: 'disjunction' }).format(['a', 'b', 'c']));
try { new DateTimeFormat('en-US').format(new Date(NaN)); } catch (error) { console.log(error.name, error.message); }
try { new NumberFormat('en-US', { style: 'currency' }); } catch (error) { console.log(error.name); }
