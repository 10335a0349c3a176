// Intl writes times of time zones as ICU does
// only = "other versions of ICU have other data"
const rows = String.raw`
new Date(Date.UTC(2024,1,29)).toLocaleDateString('en-US',{weekday:'long',year:'numeric',month:'long',day:'numeric',timeZone:'UTC'})
new Intl.DateTimeFormat('en',{timeZone:'Nope/Zone'})
new Intl.DateTimeFormat('en',{timeZone:'+05:30',timeZoneName:'short'}).format(0)
new Intl.DateTimeFormat('en',{timeZone:'US/Eastern'}).resolvedOptions().timeZone
new Intl.DateTimeFormat('en',{timeZone:'asia/kolkata'}).resolvedOptions()
new Intl.DateTimeFormat('en-US',{month:'short',day:'numeric',year:'numeric',hour:'2-digit',timeZoneName:'short'}).resolvedOptions()
new Intl.DateTimeFormat('es-AR',{dateStyle:'full',timeStyle:'long',timeZone:'America/Argentina/Buenos_Aires'}).format(0)
new Intl.DateTimeFormat('zh-HK',{dateStyle:'full',timeStyle:'full',timeZone:'Asia/Hong_Kong'}).format(0)
new Intl.DateTimeFormat('en-GB',{dateStyle:'full',timeStyle:'full',timeZone:'Europe/London'}).format(Date.UTC(2024,6,1))
new Intl.DateTimeFormat('en-US',{timeZone:'America/New_York',timeZoneName:'short',hour:'numeric'}).format(Date.UTC(2024,6,1))
new Intl.DateTimeFormat('en-US',{timeZone:'America/Phoenix',timeZoneName:'longGeneric'}).format(0)
new Intl.DateTimeFormat('en-US',{timeZone:'Europe/Paris',timeZoneName:'shortGeneric'}).format(0)
new Intl.DateTimeFormat('en-US',{timeZone:'Asia/Tokyo',timeZoneName:'longGeneric'}).format(0)
new Intl.DateTimeFormat('de-DE',{timeZone:'Asia/Dubai',timeZoneName:'long'}).format(0)
new Intl.DateTimeFormat('en-US',{timeZone:'UTC',timeZoneName:'long'}).format(0)
new Intl.DateTimeFormat('en-US',{timeZone:'Etc/GMT+5',timeZoneName:'long'}).format(0)
new Intl.DateTimeFormat('en-US',{timeZone:'Africa/Monrovia'}).format(Date.UTC(1960,1,1))
new Date(Date.UTC(2030,5,1,12)).toLocaleString('en-US',{timeZone:'Europe/Berlin'})
new Date(Date.UTC(2050,11,1,12)).toLocaleString('en-US',{timeZone:'Australia/Sydney',timeZoneName:'short'})
new Date(Date.UTC(1900,1,1)).toLocaleString('en-US',{timeZone:'Europe/Berlin'})
new Intl.DisplayNames('en',{type:'dateTimeField'}).of('timeZoneName')
['2024-03-10T06:59:59Z','2024-03-10T07:00:00Z','2024-11-03T05:59:59Z','2024-11-03T06:00:00Z'].map((t) => new Date(t).toLocaleTimeString('en-US', { timeZone: 'America/New_York', timeZoneName: 'short' })).join()
new Date(Date.UTC(2124,6,1)).toLocaleString('en-GB',{timeZone:'Europe/London',timeZoneName:'short'})
new Date(Date.UTC(2024,0,1)).toLocaleString('en-US',{timeZone:'Pacific/Apia',dateStyle:'short',timeStyle:'long'})
new Date(Date.UTC(2024,0,1)).toLocaleString('en-US',{timeZone:'Asia/Kathmandu',timeZoneName:'longOffset'})
`;
const rowsOfLocales = String.raw`
new Date(Date.UTC(2024,2,5,14,7,9,45)).toLocaleString(L,{dateStyle: 'full', timeStyle: 'full', timeZone: 'America/New_York'})
new Date(Date.UTC(2024,2,5,14,7,9,45)).toLocaleString(L,{dateStyle: 'long', timeStyle: 'long', timeZone: 'Asia/Tokyo'})
new Date(Date.UTC(2024,2,5,14,7,9,45)).toLocaleString(L,{hour: 'numeric', timeZoneName: 'short', timeZone: 'America/Los_Angeles'})
new Date(Date.UTC(2024,2,5,14,7,9,45)).toLocaleString(L,{hour: 'numeric', minute: 'numeric', timeZoneName: 'long', timeZone: 'Europe/Berlin'})
new Date(Date.UTC(2024,2,5,14,7,9,45)).toLocaleString(L,{timeZone: 'Europe/London', timeZoneName: 'short'})
new Date(Date.UTC(2024,2,5,14,7,9,45)).toLocaleString(L,{year: 'numeric', month: 'numeric', day: 'numeric', hour: 'numeric', minute: 'numeric', second: 'numeric', timeZone: 'Asia/Kolkata'})
new Date(Date.UTC(2024,2,5,14,7,9,45)).toLocaleString(L,{timeZoneName: 'longOffset'})
new Date(Date.UTC(2024,2,5,14,7,9,45)).toLocaleString(L,{timeZoneName: 'shortOffset', timeZone: 'Australia/Adelaide'})
new Date(Date.UTC(2024,2,5,14,7,9,45)).toLocaleString(L,{timeZoneName: 'longGeneric', timeZone: 'America/New_York'})
new Intl.DateTimeFormat(L,{dateStyle:'full',timeStyle:'short',timeZone:'UTC'}).formatToParts(new Date(Date.UTC(2024,2,5,14,7,9,45)))
new Intl.DateTimeFormat(L,{hour:'numeric',timeZone:'UTC'}).resolvedOptions()
`;
const locales = ['en-US', 'en-GB', 'de-DE', 'fr-FR', 'es-ES', 'pt-BR', 'ja-JP', 'zh-CN'];
const lines = (text) => text.trim().split('\n');
const value = (row, L) => {
  try {
    const found = new Function('L', `return ${row}`)(L);
    return typeof found === 'string' ? found : JSON.stringify(found);
  } catch (error) { return `${error.name}: ${error.message}`; }
};
for (const row of lines(rows)) console.log(`${row} -> ${value(row)}`);
for (const row of lines(rowsOfLocales)) for (const locale of locales) console.log(`${locale} ${row} -> ${value(row, locale)}`);
