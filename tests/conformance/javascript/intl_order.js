// Intl.Collator orders texts of several languages
// only = "other versions of ICU have other data"
const rows = String.raw`
'a'.localeCompare('b')
'résumé'.localeCompare('resume')
'a'.localeCompare('A',undefined,{sensitivity:'base'})
'a'.localeCompare('á','en',{sensitivity:'base'})
'a'.localeCompare('á','en',{sensitivity:'accent'})
'a'.localeCompare('A','en',{sensitivity:'case'})
['item10','item2','Item1'].sort((a,b)=>a.localeCompare(b,undefined,{numeric:true}))
['B','a','b','A'].sort(new Intl.Collator('en',{caseFirst:'upper'}).compare)
['ä','a','z'].sort(new Intl.Collator('sv').compare)
['ä','a','z','å','ö'].sort(new Intl.Collator('sv').compare)
['č','c','d','ch','h','i'].sort(new Intl.Collator('cs').compare)
['ą','a','b','ł','l','m'].sort(new Intl.Collator('pl').compare)
['ø','o','z','æ','å','a'].sort(new Intl.Collator('da').compare)
['б','а','Ё','е','ж','Б'].sort(new Intl.Collator('ru').compare)
['い','あ','ア','か','が'].sort(new Intl.Collator('ja').compare)
['北京','上海','广州','深圳'].sort(new Intl.Collator('zh').compare)
['나','가','다'].sort(new Intl.Collator('ko').compare)
new Intl.Collator('de',{numeric:true}).resolvedOptions()
new Intl.Collator('de-u-kn-kf-upper').resolvedOptions()
new Intl.Collator('en',{sensitivity:'x'})
new Intl.Collator('en',{ignorePunctuation:true}).compare('a-b','ab')
['co-op','coop','co op','COOP'].sort(new Intl.Collator('en').compare)
['α','b','я','あ','a','1','中'].sort(new Intl.Collator('en').compare)
['ñ','n','o'].sort(new Intl.Collator('es').compare)
['ö','o','oe','p'].sort(new Intl.Collator('de').compare)
['I','i','ı','İ','h','j'].sort(new Intl.Collator('tr').compare)
['😀','a','!','é'].sort((a,b)=>a.localeCompare(b))
['z','a','Z','ä','é','e','A','ö','o','ß','ss','ñ','n','10','2','_','-',' ','あ','ア','い','я','а','ё','中','一','가','😀','α','½','①'].sort(new Intl.Collator('en').compare).join('|')
['peach','péché','pêche','pêché','Peach'].sort(new Intl.Collator('fr').compare).join()
['張','王','李','阿'].sort(new Intl.Collator('zh-Hant').compare).join()
['日本','亜','山','漢字'].sort(new Intl.Collator('ja').compare).join()
`;
const rowsOfLocales = String.raw`
['z','a','Z','ä','é','e','A','ö','o','ß','ss','ñ','n','10','2','_','-',' '].sort(new Intl.Collator(L).compare).join('|')
Intl.Collator.supportedLocalesOf([L,'xx'])
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
