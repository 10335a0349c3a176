// what Intl does not have says so
// only = "Node has these locales, calendars and collations"
for (const call of [
  () => (1).toLocaleString('th'), () => new Date(0).toLocaleDateString(['xx', 'th']), () => new Intl.NumberFormat('sw-KE'),
  () => new Date(0).toLocaleDateString('en-US', { calendar: 'buddhist' }), () => new Date(0).toLocaleDateString('ja-JP-u-ca-japanese'),
  () => new Intl.Collator('de', { collation: 'phonebk' }), () => 'a'.localeCompare('b', 'th'), () => new Intl.Segmenter('th'),
]) try { console.log(call()); } catch (error) { console.log(error.name, error.message); }
console.log(Intl.NumberFormat.supportedLocalesOf(['th', 'de-CH', 'xx', 'zh-Hant-TW']), new Intl.NumberFormat(['th', 'de-CH']).resolvedOptions().locale);
