// Locale data: what do the parts of `Intl` in the guest take from CLDR, formatjs and the IANA time zones?
//
// Run by Node while the guests are made: `node locales.mjs PACKAGES ZONES OUT`. `PACKAGES` has the unpacked npm packages, `ZONES` is the
// folder of compiled time zones. Written to `OUT`: the libraries as expressions, the data of all locales in one packed file, the time
// zones in another, and a header for the C code that says where each piece is.
import fs from 'node:fs';
import path from 'node:path';
import vm from 'node:vm';

const [packages, zoneFolder, out] = process.argv.slice(2);
const inPackage = (name, file) => path.join(packages, name.replace(/^@/, '').replace('/', '-'), file);
const read = (name, file) => fs.readFileSync(inPackage(name, file), 'utf8');
const readJson = (name, file) => JSON.parse(read(name, file));

// Languages whole, and the regions of each that differ from it.
const LANGUAGES = ['en', 'de', 'fr', 'es', 'pt', 'it', 'nl', 'ja', 'zh', 'ko', 'sv', 'no', 'nb', 'da', 'fi', 'pl', 'cs', 'ru', 'uk', 'tr', 'id', 'hi', 'el', 'hu', 'ro', 'vi'];
const KINDS = ['numbers', 'dates', 'zones', 'names', 'texts'];

// Libraries: an ES module becomes a function of `need(package)` and of an `Intl` of its own, which gives what the module exports.
const LIBRARIES = {
  intl_decimal: '@formatjs/bigdecimal', intl_numbers: '@formatjs/intl-numberformat', intl_plurals: '@formatjs/intl-pluralrules',
  intl_relative: '@formatjs/intl-relativetimeformat', intl_lists: '@formatjs/intl-listformat', intl_names: '@formatjs/intl-displaynames',
  intl_canonical: '@formatjs/intl-getcanonicallocales',
};
const pairs = (list, colon) => list.split(',').map((part) => part.trim()).filter(Boolean).map((part) => {
  const [from, to = from] = part.split(/\s+as\s+/);
  return colon ? `${from}: ${to}` : `${to}: ${from}`;
}).join(', ');
const expression = (text) => {
  const body = text.replace(/^\/\/# sourceMappingURL=.*$/gm, '')
    .replace(/^import\s+(?:([\w$]+)\s*,?\s*)?(?:\{([^}]*)\}\s*)?from\s*"([^"]+)";?$/gm, (_, name, list, from) =>
      [name ? `const ${name} = need(${JSON.stringify(from)}).default;` : '', list ? `const { ${pairs(list, true)} } = need(${JSON.stringify(from)});` : ''].join(' '))
    .replace(/^export\s*\{([^}]*)\};?$/gm, (_, list) => `return { ${pairs(list, false)} };`);
  if (/^(import|export)\b/m.test(body)) throw new Error('a library has an import or export of another form');
  return `(() => (need, Intl) => {${body}\n})`;
};
for (const [part, name] of Object.entries(LIBRARIES)) fs.writeFileSync(path.join(out, `library_${part}.js`), expression(read(name, 'index.js')));
// The rules of the plural are functions, so they are code.
const rules = fs.readdirSync(inPackage('@formatjs/intl-pluralrules', 'locale-data')).filter((file) => file.endsWith('.js') && LANGUAGES.includes(file.split(/[-.]/)[0]));
fs.writeFileSync(path.join(out, 'library_intl_plural_rules.js'), `(() => (Intl) => {${rules.map((file) => read('@formatjs/intl-pluralrules', `locale-data/${file}`)).join('\n')}\n})`);

// What a package's locale file registers.
const registered = (name, constructor, locale) => {
  const file = `locale-data/${locale}.js`;
  if (!fs.existsSync(inPackage(name, file))) return undefined;
  let found;
  vm.runInNewContext(read(name, file), { Intl: { [constructor]: { __addLocaleData(data) { found = data; } } } });
  return JSON.parse(JSON.stringify(found.data));
};

const without = (object, unwanted) => Object.fromEntries(Object.entries(object ?? {}).filter(([key]) => !unwanted.test(key)));
const plain = (object) => without(object, /-alt-|-count-|^_/);
const WIDTHS = { wide: 'long', abbreviated: 'short', narrow: 'narrow' };
const widths = (group, order) => Object.fromEntries(['stand-alone', 'format'].map((context) => [context === 'format' ? 'format' : 'alone',
  Object.fromEntries(Object.entries(WIDTHS).map(([from, to]) => [to, order.map((key) => group[context][from][key])]))]));
const { timeData } = readJson('cldr-core', 'supplemental/timeData.json').supplemental;
const { likelySubtags } = readJson('cldr-core', 'supplemental/likelySubtags.json').supplemental;
const { dayPeriodRuleSet } = readJson('cldr-core', 'supplemental/dayPeriods.json').supplemental;
const minutes = (text) => { const [hour, minute] = text.split(':').map(Number); return hour * 60 + minute; };
const regionOf = (locale) => locale.split('-').find((part, i) => i > 0 && /^([A-Z]{2}|\d{3})$/.test(part)) ?? likelySubtags[locale]?.split('-')[2] ?? '001';

// Bokmål has two names, of which a package may have one.
const SAME = { nb: 'no', no: 'nb', 'nb-SJ': 'no' };
const first = (name, constructor, ...locales) => { for (const locale of locales) { const found = registered(name, constructor, locale) ?? registered(name, constructor, SAME[locale] ?? locale); if (found) return found; } throw new Error(`${name} has no ${locales[0]}`); };
const datesOf = (locale, base) => {
  const main = readJson('cldr-dates-full', `main/${locale}/ca-gregorian.json`).main[locale].dates.calendars.gregorian;
  const { fields } = readJson('cldr-dates-full', `main/${locale}/dateFields.json`).main[locale].dates;
  const { availableFormats, appendItems, intervalFormats, ...joints } = main.dateTimeFormats;
  const language = locale.split('-')[0];
  const periods = Object.fromEntries(Object.entries(WIDTHS).map(([from, to]) => [to, plain(main.dayPeriods.format[from])]));
  const rules = Object.entries(dayPeriodRuleSet[locale] ?? dayPeriodRuleSet[language] ?? {}).filter(([name]) => name !== 'midnight')
    .map(([name, rule]) => (rule._at ? [name, minutes(rule._at)] : [name, minutes(rule._from), minutes(rule._before)]));
  const { fallback, intervalFormatFallback, ...intervals } = intervalFormats;
  const preferred = (timeData[`${language}-${regionOf(locale)}`] ?? timeData[regionOf(locale)] ?? timeData['001'])._preferred;
  const names = ['era', 'year', 'quarter', 'month', 'week', 'weekOfMonth', 'weekday', 'dayOfYear', 'weekdayOfMonth', 'day', 'dayperiod', 'hour', 'minute', 'second', 'second', 'zone'];
  const { numbers } = first('@formatjs/intl-numberformat', 'NumberFormat', locale, base), [numberingSystem] = numbers.nu;
  return {
    numberingSystem, decimal: numbers.symbols[numberingSystem].decimal,
    months: widths(main.months, [...'123456789', '10', '11', '12']), days: widths(main.days, ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat']),
    eras: { long: [main.eras.eraNames[0], main.eras.eraNames[1]], short: [main.eras.eraAbbr[0], main.eras.eraAbbr[1]], narrow: [main.eras.eraNarrow[0], main.eras.eraNarrow[1]] },
    periods, rules, hour: preferred, date: plain(main.dateFormats), time: plain(main.timeFormats), joint: plain(joints), at: plain(main['dateTimeFormats-atTime'].standard),
    available: plain(availableFormats), append: appendItems, intervals: Object.fromEntries(Object.entries(intervals).map(([key, all]) => [key, plain(all)])), between: intervalFormatFallback,
    fields: names.map((name) => fields[name]?.displayName ?? ''),
  };
};
const zonesOf = (locale) => {
  const names = readJson('cldr-dates-full', `main/${locale}/timeZoneNames.json`).main[locale].dates.timeZoneNames;
  const zone = {};
  const walk = (group, prefix) => {
    for (const [key, value] of Object.entries(group)) {
      const name = prefix + key;
      if (value._type === 'zone' || value.exemplarCity || value.long || value.short) { const { _type, ...rest } = value; zone[name] = rest; } else walk(value, `${name}/`);
    }
  };
  walk(names.zone, '');
  return { hour: names.hourFormat, gmt: names.gmtFormat, region: names.regionFormat, fallback: names.fallbackFormat, zone, metazone: names.metazone };
};
const textsOf = (locale, base) => ({
  relative: first('@formatjs/intl-relativetimeformat', 'RelativeTimeFormat', locale, base),
  list: first('@formatjs/intl-listformat', 'ListFormat', locale, base),
});
const dataOf = {
  numbers: (locale, base) => first('@formatjs/intl-numberformat', 'NumberFormat', locale, base), dates: datesOf, zones: zonesOf,
  names: (locale, base) => first('@formatjs/intl-displaynames', 'DisplayNames', locale, base), texts: textsOf,
};

// Packing: literal bytes, then a copy of earlier bytes, which may be those of another locale. Short numbers are one byte.
const MINIMUM = 5;
const varint = (into, value) => { for (; value >= 128; value = Math.floor(value / 128)) into.push((value % 128) | 128); into.push(value); };
const pack = (before, text) => {
  const all = Buffer.concat([before, text]), into = [], last = new Map(), previous = new Int32Array(all.length).fill(-1);
  const key = (at) => all.readUInt32LE(at) * 256 + all[at + 4];
  const enter = (at) => { if (at + MINIMUM <= all.length) { const k = key(at); previous[at] = last.get(k) ?? -1; last.set(k, at); } };
  for (let at = 0; at < before.length; at++) enter(at);
  let at = before.length, literal = at;
  while (at < all.length) {
    let best = 0, distance = 0;
    if (at + MINIMUM <= all.length) {
      for (let candidate = last.get(key(at)) ?? -1, tries = 0; candidate >= 0 && tries < 48; candidate = previous[candidate], tries++) {
        let length = 0;
        while (at + length < all.length && all[candidate + length] === all[at + length]) length++;
        if (length > best) { best = length; distance = at - candidate; }
      }
    }
    if (best < MINIMUM + (distance > 16384 ? 1 : 0)) { enter(at++); continue; }
    varint(into, at - literal);
    for (let i = literal; i < at; i++) into.push(all[i]);
    varint(into, best);
    varint(into, distance);
    for (let i = 0; i < best; i++) enter(at + i);
    at += best;
    literal = at;
  }
  varint(into, at - literal);
  for (let i = literal; i < at; i++) into.push(all[i]);
  return Buffer.from(into);
};

const available = fs.readdirSync(inPackage('cldr-dates-full', 'main')).filter((locale) => LANGUAGES.includes(locale.split('-')[0]) && !/-(Dsrt|Shaw|Latn)\b/.test(locale));
// A language before its regions, English first: each is packed by what came before it.
available.sort((a, b) => (a === 'en' ? -1 : b === 'en' ? 1 : a.length - b.length || (a < b ? -1 : 1)));
const chunks = [], pieces = [];
let length = 0;
const add = (name, parent, text, before) => {
  const packed = pack(before, text);
  pieces.push({ name, parent, at: length, length: packed.length, whole: text.length });
  chunks.push(packed);
  length += packed.length;
};
for (const kind of KINDS) {
  const texts = new Map();
  for (const locale of available) {
    const base = locale.replace(/-(?!Hant|Hans)[^-]+$/, '');
    const text = Buffer.from(JSON.stringify(dataOf[kind](locale, locale.startsWith('zh-Hans') ? 'zh' : base)));
    const parent = locale === 'en' ? undefined : texts.has(base) && base !== locale ? base : locale.includes('-') && texts.has(locale.split('-')[0]) ? locale.split('-')[0] : 'en';
    // A text that is that of its parent is kept under the parent's name.
    texts.set(locale, parent !== undefined && texts.get(parent).equals(text) && locale.includes('-') ? texts.get(parent) : text);
    add(`${kind}/${locale}`, parent === undefined ? undefined : `${kind}/${parent}`, text, parent === undefined ? Buffer.alloc(0) : texts.get(parent));
  }
}

// Time zones: names in every spelling, the name that CLDR has for each, and the number of its data.
const zoneTexts = [], zoneNumbers = new Map(), zoneNames = {};
const aliases = new Map();
for (const { _alias } of Object.values(readJson('cldr-bcp47', 'bcp47/timezone.json').keyword.u.tz)) {
  if (_alias === undefined) continue;
  const [canonical, ...others] = _alias.split(' ');
  for (const name of [canonical, ...others]) aliases.set(name, canonical);
}
const zoneFiles = (folder, prefix) => fs.readdirSync(folder, { withFileTypes: true }).flatMap((entry) => (entry.isDirectory() ? zoneFiles(path.join(folder, entry.name), `${prefix}${entry.name}/`) : [`${prefix}${entry.name}`]));
for (const name of zoneFiles(zoneFolder, '').sort()) {
  const bytes = fs.readFileSync(path.join(zoneFolder, name));
  if (bytes.toString('latin1', 0, 4) !== 'TZif' || !aliases.has(name)) continue;
  // The first block has 32-bit times; the second one is all that counts.
  const [utc, standard, leap, times, types, letters] = [0, 1, 2, 3, 4, 5].map((i) => bytes.readInt32BE(20 + 4 * i));
  const text = bytes.subarray(44 + times * 5 + types * 6 + letters + leap * 8 + standard + utc), id = text.toString('latin1');
  if (!zoneNumbers.has(id)) { zoneNumbers.set(id, zoneTexts.length); zoneTexts.push(text); }
  zoneNames[name] = [aliases.get(name), zoneNumbers.get(id)];
}
const { metazoneInfo, metazones } = readJson('cldr-core', 'supplemental/metaZones.json').supplemental.metaZones;
const uses = {};
const walkUses = (group, prefix) => {
  for (const [key, value] of Object.entries(group)) {
    if (!Array.isArray(value)) { walkUses(value, `${prefix}${key}/`); continue; }
    uses[prefix + key] = value.map(({ usesMetazone: use }) => [use._mzone, use._from ? Date.parse(`${use._from.replace(' ', 'T')}Z`) : null]);
  }
};
walkUses(metazoneInfo.timezone, '');
const golden = {};
for (const { mapZone } of metazones) (golden[mapZone._other] ??= {})[mapZone._territory] = mapZone._type;
const territories = {};
for (const [id, { _alias }] of Object.entries(readJson('cldr-bcp47', 'bcp47/timezone.json').keyword.u.tz)) if (_alias && /^[a-z]{5}$/.test(id)) territories[_alias.split(' ')[0]] = id.slice(0, 2).toUpperCase();
const { primaryZones } = readJson('cldr-core', 'supplemental/primaryZones.json').supplemental;
add('zones', undefined, Buffer.from(JSON.stringify(zoneNames)), Buffer.alloc(0));
add('metazones', undefined, Buffer.from(JSON.stringify({ uses, golden, territories, primary: primaryZones })), Buffer.alloc(0));
const parents = readJson('cldr-core', 'supplemental/parentLocales.json').supplemental.parentLocales.parentLocale;
const likely = Object.fromEntries(Object.entries(likelySubtags).filter(([tag]) => LANGUAGES.includes(tag.split('-')[0])));
add('locales', undefined, Buffer.from(JSON.stringify({ available, likely, parents: Object.fromEntries(Object.entries(parents).filter(([tag]) => LANGUAGES.includes(tag.split('-')[0]))) })), Buffer.alloc(0));

// The order of characters, as ICU in Node has it: those with the same letter are one text, in their own order; what is a form of other
// characters is left out. Then accents, and the order of Chinese characters of each language that has one.
const ranges = [[0, 0xe7f], [0x10a0, 0x10ff], [0x1e00, 0x2bff], [0x3000, 0x312f], [0x1f000, 0x1faff]];
const base = new Intl.Collator('en', { sensitivity: 'base' }), variant = new Intl.Collator('en');
const characters = ranges.flatMap(([from, to]) => Array.from({ length: to - from + 1 }, (_, i) => String.fromCodePoint(from + i)))
  .filter((one) => !/\p{Cn}|\p{Cs}|\p{M}/u.test(one) && base.compare(one, '') !== 0)
  .filter((one) => one.normalize('NFKD') === one || (one.normalize('NFC') === one && one.normalize('NFKD') === one.normalize('NFD') && base.compare(one, [...one.normalize('NFD')][0]) !== 0))
  .filter((one) => !'ßẞæÆœŒøØđĐłŁıþÞ'.includes(one))
  .sort((a, b) => variant.compare(a, b) || (a < b ? -1 : 1));
const groups = [];
for (const one of characters) if (groups.length > 0 && base.compare([...groups.at(-1)][0], one) === 0) groups[groups.length - 1] += one; else groups.push(one);
const accent = new Intl.Collator('en', { sensitivity: 'accent' });
const accents = Array.from({ length: 0x70 }, (_, i) => String.fromCodePoint(0x300 + i)).concat('\u3099', '\u309a').filter((mark) => accent.compare(`e${mark}`, 'e') !== 0).sort((a, b) => accent.compare(`e${a}`, `e${b}`));
add('order', undefined, Buffer.from(JSON.stringify({ groups, accents: accents.join('') })), Buffer.alloc(0));
const han = Array.from({ length: 0x9fff - 0x4e00 + 1 }, (_, i) => String.fromCodePoint(0x4e00 + i));
for (const locale of ['zh', 'zh-Hant', 'ja', 'ko']) {
  const { compare } = new Intl.Collator(locale);
  add(`order/${locale}`, undefined, Buffer.from(JSON.stringify([...han].sort(compare).join(''))), Buffer.alloc(0));
}

fs.writeFileSync(path.join(out, 'locale_data.bin'), Buffer.concat(chunks));
fs.writeFileSync(path.join(out, 'zone_data.bin'), Buffer.concat(zoneTexts));
const index = new Map(pieces.map((piece, i) => [piece.name, i]));
const rows = pieces.map(({ name, parent, at, length, whole }) => `    {${JSON.stringify(name)}, ${parent === undefined ? -1 : index.get(parent)}, ${at}, ${length}, ${whole}},`);
let place = 0;
const places = [0, ...zoneTexts.map((text) => (place += text.length))];
fs.writeFileSync(path.join(out, 'locale_data.h'), `static const locale_piece_t locale_pieces[] = {\n${rows.join('\n')}\n};\n\nstatic const zone_name_t zone_names[] = {\n${Object.entries(zoneNames).map(([name, [, number]]) => `    {${JSON.stringify(name)}, ${number}},`).join('\n')}\n};\n\nstatic const uint32_t zone_places[] = {${places.join(', ')}};\n`);
console.log(`${available.length} locales, ${length} bytes of ${pieces.reduce((sum, piece) => sum + piece.whole, 0)}; ${zoneTexts.length} zones, ${place} bytes`);
