// Intl writes ranges of dates as ICU does
// only = "other versions of ICU have other data"
const rows = String.raw`
new Intl.DateTimeFormat('en-US',{dateStyle:'long',timeZone:'UTC'}).formatRange(0,86400000*3)
new Intl.DateTimeFormat('en-US',{dateStyle:'long',timeZone:'UTC'}).formatRange(0,0)
new Intl.DateTimeFormat('en-US',{dateStyle:'short',timeStyle:'short',timeZone:'UTC'}).formatRange(0,3600000*2)
new Intl.DateTimeFormat('en-US',{dateStyle:'short',timeStyle:'short',timeZone:'UTC'}).formatRange(0,86400000*2)
new Intl.DateTimeFormat('en-US',{timeStyle:'short',timeZone:'UTC'}).formatRange(0,86400000*2)
new Intl.DateTimeFormat('en-US',{month:'long',year:'numeric',timeZone:'UTC'}).formatRange(0,86400000*40)
new Intl.DateTimeFormat('en-US',{timeZone:'UTC'}).formatRange(0,86400000*40)
new Intl.DateTimeFormat('en-US',{timeZone:'UTC'}).formatRangeToParts(0,86400000*40)
new Intl.DateTimeFormat('en-US',{month:'short',day:'numeric',timeZone:'UTC'}).formatRangeToParts(0,86400000*4)
new Intl.DateTimeFormat('de',{month:'short',day:'numeric',hour:'numeric',timeZone:'UTC'}).formatRange(0,3600000*4)
new Intl.DateTimeFormat('de',{month:'long',day:'numeric',timeZone:'UTC'}).formatRange(0,86400000*4)
new Intl.DateTimeFormat('fr',{weekday:'long',month:'long',day:'numeric',timeZone:'UTC'}).formatRange(0,86400000*4)
new Intl.DateTimeFormat('ja',{dateStyle:'medium',timeZone:'UTC'}).formatRange(0,86400000*4)
new Intl.DateTimeFormat('en',{dateStyle:'full',timeStyle:'short',timeZone:'UTC'}).formatRange(0,3600000*4)
new Intl.DateTimeFormat('en',{hour:'numeric',minute:'numeric',second:'numeric',timeZone:'UTC'}).formatRange(0,3600000*4)
new Intl.DateTimeFormat('en',{weekday:'short',timeZone:'UTC'}).formatRange(0,86400000*2)
new Intl.DateTimeFormat('en',{year:'numeric',timeZone:'UTC'}).formatRange(0,86400000*700)
new Intl.DateTimeFormat('en').formatRange(0)
new Intl.DateTimeFormat('en',{hour:'numeric',timeZone:'UTC'}).formatRange(0,3600000*14)
new Intl.DateTimeFormat('en',{hour:'numeric',timeZone:'UTC'}).formatRange(0,3600000*4)
`;
const rowsOfLocales = String.raw`
new Intl.DateTimeFormat(L,{dateStyle:'medium',timeZone:'UTC'}).formatRange(new Date(Date.UTC(2024,0,10)),new Date(Date.UTC(2024,0,20)))
new Intl.DateTimeFormat(L,{dateStyle:'long',timeZone:'UTC'}).formatRange(new Date(Date.UTC(2024,0,10)),new Date(Date.UTC(2024,2,20)))
new Intl.DateTimeFormat(L,{year:'numeric',month:'short',day:'numeric',timeZone:'UTC'}).formatRange(new Date(Date.UTC(2023,0,10)),new Date(Date.UTC(2024,2,20)))
new Intl.DateTimeFormat(L,{hour:'numeric',minute:'numeric',timeZone:'UTC'}).formatRange(new Date(Date.UTC(2024,0,10,8)),new Date(Date.UTC(2024,0,10,17,30)))
`;
const locales = ['en-US', 'en-GB', 'de-DE', 'fr-FR', 'es-ES', 'pt-BR', 'ja-JP', 'zh-CN', 'nl-NL'];
const lines = (text) => text.trim().split('\n');
const value = (row, L) => {
  try {
    const found = new Function('L', `return ${row}`)(L);
    return typeof found === 'string' ? found : JSON.stringify(found);
  } catch (error) { return `${error.name}: ${error.message}`; }
};
for (const row of lines(rows)) console.log(`${row} -> ${value(row)}`);
for (const row of lines(rowsOfLocales)) for (const locale of locales) console.log(`${locale} ${row} -> ${value(row, locale)}`);
