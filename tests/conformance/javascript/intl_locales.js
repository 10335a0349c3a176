// Intl knows locales and their tags
// only = "other versions of ICU have other data"
const rows = String.raw`
new Intl.Locale('en-Latn-US-u-ca-gregory-hc-h12').toString()
new Intl.Locale('zh-TW').maximize()+''
new Intl.Locale('de',{region:'CH',calendar:'buddhist'}).toString()
['language','script','region','baseName','calendar','hourCycle','numeric','caseFirst','numberingSystem','collation'].map(k=>new Intl.Locale('ja-Jpan-JP-u-ca-japanese-kn-kf-upper')[k]).join()
new Intl.Locale()
new Intl.Locale('e')
Intl.getCanonicalLocales(['EN-us','zh-hans-cn','iw','en-uk'])
Intl.getCanonicalLocales('en_US')
Intl.supportedValuesOf('foo')
new Intl.NumberFormat(new Intl.Locale('de-DE')).format(1234.5)
new Intl.DateTimeFormat([new Intl.Locale('fr', { region: 'CA' })]).resolvedOptions().locale
(1234.5).toLocaleString(new Intl.Locale('pt-BR'))
(1234.5).toLocaleString(['xx', 'de'])
new Date(0).toLocaleDateString([], { timeZone: 'UTC' })
[1234.5, new Date(0)].toLocaleString('de-DE', { timeZone: 'UTC' })
Intl.DateTimeFormat('de-u-hc-h12', { hour: 'numeric' }).resolvedOptions()
new Intl.DateTimeFormat('en-u-nu-deva-ca-iso8601', { dateStyle: 'short' }).resolvedOptions()
`;
const rowsOfLocales = String.raw`
Intl.PluralRules.supportedLocalesOf([L,'xx'])
Intl.RelativeTimeFormat.supportedLocalesOf([L,'xx'])
Intl.ListFormat.supportedLocalesOf([L,'xx'])
Intl.DisplayNames.supportedLocalesOf([L,'xx'])
new Intl.Locale(L).maximize().toString()
new Intl.Locale(L).minimize().toString()
`;
const locales = ['en-US', 'de-AT', 'fr-FR', 'es-MX', 'pt-PT', 'ja-JP', 'zh-TW'];
const lines = (text) => text.trim().split('\n');
const value = (row, L) => {
  try {
    const found = new Function('L', `return ${row}`)(L);
    return typeof found === 'string' ? found : JSON.stringify(found);
  } catch (error) { return `${error.name}: ${error.message}`; }
};
for (const row of lines(rows)) console.log(`${row} -> ${value(row)}`);
for (const row of lines(rowsOfLocales)) for (const locale of locales) console.log(`${locale} ${row} -> ${value(row, locale)}`);
