// the order of texts: letters, accents, case, digits, punctuation
const sorted = (list, ...rest) => list.sort((a, b) => a.localeCompare(b, ...rest)).join(' ');
console.log(sorted(['banana', 'Apple', 'cherry', 'apple', 'Banana']), '|', sorted(['é', 'z', 'a', 'É', 'e', 'f', 'Z']));
console.log(sorted(['résumé', 'resume', 'Resume', 'Résumé', 'resumes']), '|', sorted(['a b', 'ab', 'a-b', 'a_b', 'a1', 'A1', 'a']));
console.log(sorted(['item 10', 'item 9', 'item 1'], undefined, { numeric: true }), '|', sorted(['item 10', 'item 9', 'item 1']));
console.log('a'.localeCompare('A'), 'a'.localeCompare('b'), 'b'.localeCompare('a'), 'a'.localeCompare('a'), ''.localeCompare('a'), 'a'.localeCompare('B'));
console.log('a'.localeCompare('A', 'en', { sensitivity: 'base' }), 'a'.localeCompare('á', 'en', { sensitivity: 'base' }), 'a'.localeCompare('á', 'en', { sensitivity: 'accent' }), 'a'.localeCompare('A', 'en', { sensitivity: 'accent' }));
console.log(sorted(['Zebra', 'äpfel', 'Apfel', 'Öl', 'straße', 'strasse', 'Strafe'], 'de'), '|', sorted(['nube', 'ñandú', 'oso', 'nz'], 'es'));
console.log(['b', 'a', 'C'].sort(new Intl.Collator('en').compare), ['b', 'B', 'a', 'A'].sort(new Intl.Collator('en', { caseFirst: 'upper' }).compare));
console.log(new Intl.Collator('en', { numeric: true }).resolvedOptions(), new Intl.Collator('en').compare('x', 'y'));
try { 'a'.localeCompare('b', 'en', { sensitivity: 'none' }); } catch (error) { console.log(error.name); }
console.log(`${new Date(0)}`, new Date(86400000).toTimeString(), String(new Date(NaN)));
try { new Date(NaN).toISOString(); } catch (error) { console.log(error.name, error.message); }
