//! `Intl`: which locale does a request mean, which options are valid, and where is each constructor?
//!
//! Locales are those whose data was packed when the guest was made. A request for others only is a `RangeError` that names them.
(native, internal) => {
  const { available, likely, parents } = native.localeData('locales');
  const isAvailable = new Set(available), languages = new Set(available.filter((tag) => !tag.includes('-')));
  const DEFAULT = 'en-US';
  const refuse = (what) => new RangeError(`${what} is not in the sandbox`);

  // What an object of `Intl` has inside. It is kept in a private field, which a program can neither read nor replace.
  class Bearer { constructor(object) { return object; } }
  const makeSlots = (name) => class extends Bearer {
    #value;
    constructor(object, value) { super(object); this.#value = value; }
    static get(object, method) {
      if (object === null || typeof object !== 'object' || !(#value in object)) throw new TypeError(`Method Intl.${name}.prototype.${method} called on incompatible receiver ${String(object)}`);
      return object.#value;
    }
    static has(object) { return object !== null && typeof object === 'object' && #value in object; }
  };

  // Libraries of formatjs, each with an `Intl` of its own: it has what they need of each other, and locales that are chosen already.
  const inside = { getCanonicalLocales: (locale) => [].concat(locale ?? []) };
  const loaded = new Map();
  const NEEDED = { '@formatjs/bigdecimal': () => library('intl_decimal'), '@formatjs/intl-localematcher': () => matcher };
  const library = (name) => {
    if (!loaded.has(name)) loaded.set(name, internal.library(name)((request) => NEEDED[request](), inside));
    return loaded.get(name);
  };
  const matcher = {
    ResolveLocale(_available, [locale], options, keys, data) {
      const result = { locale, dataLocale: locale };
      for (const key of keys) result[key] = options[key] !== undefined && data[locale][key]?.includes(options[key]) ? options[key] : data[locale][key]?.[0];
      return result;
    },
    LookupSupportedLocales: () => [],
  };
  // A class of a library, with the data of a locale registered.
  const withData = (name, kind, constructor, pick = (data) => data) => {
    const known = new Set();
    return (locale) => {
      const Class = constructor(library(name));
      if (!known.has(locale)) {
        Class.__addLocaleData({ locale, data: pick(native.localeData(`${kind}/${locale}`)) });
        known.add(locale);
      }
      return Class;
    };
  };
  const classes = {
    NumberFormat: withData('intl_numbers', 'numbers', ({ NumberFormat }) => NumberFormat),
    RelativeTimeFormat: withData('intl_relative', 'texts', ({ default: RelativeTimeFormat }) => RelativeTimeFormat, ({ relative }) => relative),
    ListFormat: withData('intl_lists', 'texts', ({ default: ListFormat }) => ListFormat, ({ list }) => list),
    DisplayNames: withData('intl_names', 'names', ({ DisplayNames }) => DisplayNames),
    PluralRules() {
      const { PluralRules } = library('intl_plurals');
      if (!loaded.has('rules')) loaded.set('rules', internal.library('intl_plural_rules')({ PluralRules }) ?? true);
      return PluralRules;
    },
  };
  // Rules of the plural are those of the language, but for European Portuguese.
  const pluralLocale = (locale) => (/^pt-(?!BR)/.test(locale) ? 'pt-PT' : locale.split('-')[0].replace(/^nb$/, 'no'));
  inside.NumberFormat = function (locale, options) { return new (classes.NumberFormat(locale))(locale, options); };
  inside.PluralRules = function (locale, options) { return new (classes.PluralRules())(pluralLocale(locale), options); };

  // Languages in the form of BCP 47. The usual tags need no tables.
  const canonical = (tag) => {
    const usual = /^([a-z]{2})(-[A-Z][a-z]{3})?(-[A-Z]{2})?$/.exec(tag);
    if (usual !== null && (isAvailable.has(tag) || likely[usual[1] + (usual[2] ?? '')]?.endsWith(usual[3]))) return tag;
    try {
      return library('intl_canonical').getCanonicalLocales(tag)[0];
    } catch {
      throw new RangeError(`Incorrect locale information provided`);
    }
  };
  const LocaleSlots = makeSlots('Locale');
  const canonicalList = (locales) => {
    if (locales === undefined) return [];
    if (locales === null) throw new TypeError('Cannot convert undefined or null to object');
    const list = [];
    const items = typeof locales === 'string' || LocaleSlots.has(locales) ? [locales] : Object(locales);
    const { length } = items;
    for (let i = 0; i < length; i++) {
      const item = items[i];
      if (!(i in items)) continue;
      if (typeof item !== 'string' && (typeof item !== 'object' || item === null)) throw new TypeError('Incorrect locale information provided');
      const tag = canonical(`${item}`);
      if (!list.includes(tag)) list.push(tag);
    }
    return list;
  };
  // The extension of a tag: `{ nu: 'latn' }`, and the tag without it.
  const split = (tag) => {
    const [plain, extension = ''] = tag.split(/-u(?=-)/), keywords = {};
    const rest = extension.replace(/-([a-wyz0-9])-.*$/, '');
    for (const [, key, value] of rest.matchAll(/-([a-z0-9][a-z])((?:-[a-z0-9]{3,8})*)/g)) keywords[key] ??= value.slice(1);
    return { plain: plain.split(/-[a-tv-z0-9](?=-)/)[0], keywords };
  };
  // The locale whose data a tag has, or nothing.
  const dataLocale = (tag) => {
    if (isAvailable.has(tag)) return tag;
    const [language, ...rest] = tag.split('-');
    if (!languages.has(language)) return undefined;
    const script = rest.find((part) => part.length === 4), region = rest.find((part) => /^([A-Z]{2}|\d{3})$/.test(part));
    const whole = likely[tag] ?? likely[`${language}-${script ?? region}`] ?? likely[language] ?? '';
    const [, likelyScript] = whole.split('-');
    for (const candidate of [`${language}-${script ?? likelyScript}-${region}`, `${language}-${region}`, `${language}-${script ?? likelyScript}`]) if (isAvailable.has(candidate)) return candidate;
    return language;
  };
  // The tag as it is shown: with the region if its data, or its language, are made for it.
  const shown = (tag, data) => {
    const [language, ...rest] = tag.split('-');
    const script = rest.find((part) => part.length === 4), region = rest.find((part) => /^([A-Z]{2}|\d{3})$/.test(part));
    const parts = [language, script, region].filter(Boolean).join('-');
    const isKnown = (one) => isAvailable.has(one) || likely[one]?.split('-').slice(0, 3).join('-') === one;
    if (isAvailable.has(parts)) return parts;
    if (script !== undefined && !isAvailable.has(`${language}-${script}`)) return language;
    if (region === undefined) return parts === language || likely[language]?.startsWith(`${parts}-`) ? parts : data;
    if (data.endsWith(`-${region}`)) return parts;
    const whole = likely[`${language}-${region}`] ?? likely[script === undefined ? language : `${language}-${script}`] ?? likely[language] ?? '';
    return whole.endsWith(`-${region}`) || isKnown(parts) ? parts : data;
  };
  const resolve = (locales, keys = []) => {
    const list = canonicalList(locales);
    for (const tag of list) {
      const { plain, keywords } = split(tag), data = dataLocale(plain);
      if (data !== undefined) return { locale: shown(plain, data), data, keywords: Object.fromEntries(keys.filter((key) => key in keywords).map((key) => [key, keywords[key]])) };
    }
    if (list.length > 0) throw refuse(`the locale \`${list.join('`, `')}\``);
    return { locale: DEFAULT, data: 'en', keywords: {} };
  };
  const supported = (locales, options) => {
    const list = canonicalList(locales);
    if (options !== undefined) choice(optionsOf(options), 'localeMatcher', ['lookup', 'best fit'], 'best fit', 'Intl');
    return list.filter((tag) => dataLocale(split(tag).plain) !== undefined);
  };

  const optionsOf = (options) => {
    if (options === undefined) return Object.create(null);
    if (options === null) throw new TypeError('Cannot convert undefined or null to object');
    return Object(options);
  };
  const choice = (options, name, choices, otherwise, what) => {
    let value = options[name];
    if (value === undefined) return otherwise;
    value = `${value}`;
    if (choices !== undefined && !choices.includes(value)) throw new RangeError(`Value ${value} out of range for ${what} options property ${name}`);
    return value;
  };
  const type = /^[a-z0-9]{3,8}(-[a-z0-9]{3,8})*$/i;
  const identifier = (options, name) => {
    const value = choice(options, name);
    if (value !== undefined && !type.test(value)) throw new RangeError(`Invalid ${name} : ${value}`);
    return value?.toLowerCase();
  };
  const count = (options, name, low, high, otherwise) => {
    if (options[name] === undefined) return otherwise;
    const value = Number(options[name]);
    if (!(value >= low && value <= high)) throw new RangeError(`${name} value is out of range.`);
    return Math.floor(value);
  };

  // A constructor as the standard wants it: its methods are not enumerable, and it says which locales it has.
  const constructor = (name, Class, methods, needsNew = true) => {
    Object.defineProperty(Class, 'name', { value: name, configurable: true });
    Object.defineProperty(Class, 'length', { value: 0, configurable: true });
    const put = (target, key, descriptor) => Object.defineProperty(target, key, { ...descriptor, enumerable: false, configurable: true });
    const all = Object.getOwnPropertyDescriptors(methods);
    for (const key of Reflect.ownKeys(all)) put(Class.prototype, key, all[key]);
    put(Class.prototype, 'constructor', { value: Class, writable: true });
    put(Class.prototype, Symbol.toStringTag, { value: `Intl.${name}` });
    put(Class, 'supportedLocalesOf', { value: { supportedLocalesOf(locales, options) { return supported(locales, options); } }.supportedLocalesOf, writable: true });
    Object.defineProperty(Class.supportedLocalesOf, 'length', { value: 1, configurable: true });
    Object.defineProperty(Class, 'prototype', { writable: false });
    return Class;
  };

  const core = {
    refuse, makeSlots, LocaleSlots, library, classes, inside, resolve, supported, optionsOf, choice, identifier, count, constructor, canonical, canonicalList,
    split, dataLocale, pluralLocale, likely, parents, DEFAULT, languages,
  };
  const Intl = {};
  Object.defineProperty(Intl, Symbol.toStringTag, { value: 'Intl', configurable: true });
  const places = {
    NumberFormat: 'intl_numbers', DateTimeFormat: 'intl_dates', PluralRules: 'intl_texts', ListFormat: 'intl_texts', RelativeTimeFormat: 'intl_texts',
    DisplayNames: 'intl_texts', Locale: 'intl_locale', Collator: 'collator', Segmenter: 'segmenter',
  };
  for (const [name, place] of Object.entries(places)) {
    Object.defineProperty(Intl, name, {
      get() { const value = internal.lazy(place)[name]; Object.defineProperty(Intl, name, { value, writable: true, enumerable: false, configurable: true }); return value; },
      set(value) { Object.defineProperty(Intl, name, { value, writable: true, enumerable: false, configurable: true }); },
      enumerable: false, configurable: true,
    });
  }
  const functions = {
    getCanonicalLocales(locales) { return canonicalList(locales); },
    supportedValuesOf(key) { return internal.lazy('intl_locale').supportedValues(`${key}`); },
  };
  for (const name of Object.keys(functions)) Object.defineProperty(Intl, name, { value: functions[name], writable: true, enumerable: false, configurable: true });
  return { ...core, Intl };
}
