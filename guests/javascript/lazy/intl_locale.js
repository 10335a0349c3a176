//! `Intl.Locale`, and the values that `Intl.supportedValuesOf` lists.
(native, internal) => {
  const intl = internal.lazy('intl');
  const { constructor, canonical, optionsOf, choice, library } = intl;
  const Slots = intl.LocaleSlots;
  const KEYS = [['ca', 'calendar'], ['co', 'collation'], ['hc', 'hourCycle'], ['kf', 'caseFirst'], ['kn', 'numeric'], ['nu', 'numberingSystem']];
  const wrong = () => new RangeError('Incorrect locale information provided');
  const pieces = (tag) => {
    const [plain, extension] = tag.split(/-u(?=-)/), parts = plain.split('-');
    const keywords = new Map();
    for (const [, key, value] of (extension ?? '').matchAll(/-([a-z0-9][a-z])((?:-[a-z0-9]{3,8})*)/g)) if (!keywords.has(key)) keywords.set(key, value.slice(1));
    const [language, ...rest] = parts;
    return {
      language, script: rest.find((part) => /^[A-Za-z]{4}$/.test(part)), region: rest.find((part) => /^([A-Za-z]{2}|\d{3})$/.test(part)),
      variants: rest.filter((part) => /^([a-z0-9]{5,8}|\d[a-z0-9]{3})$/i.test(part) && part !== language), keywords,
    };
  };
  const join = ({ language, script, region, variants, keywords }) => {
    const base = [language, script, region, ...variants].filter(Boolean).join('-');
    const list = [...keywords].sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, value]) => (value === '' || value === 'true' ? key : `${key}-${value}`));
    return list.length === 0 ? base : `${base}-u-${list.join('-')}`;
  };
  // Likely subtags, of every language.
  const lookUp = (table, { language, script, region }) => {
    for (const key of [[language, script, region], [language, region], [language, script], [language], ['und', script]]) {
      const found = table[key.filter(Boolean).join('-')];
      if (key.every(Boolean) && found !== undefined) return found.split('-');
    }
    return undefined;
  };
  const maximal = (own) => {
    const found = lookUp(library('intl_canonical').likelySubtags, own);
    if (found === undefined) return own;
    const [language, script, region] = found;
    return { ...own, language: own.language === 'und' ? language : own.language, script: own.script ?? script, region: own.region ?? region };
  };
  const minimal = (own) => {
    const { language, script, region } = maximal(own);
    const same = (trial) => { const whole = maximal({ script: undefined, region: undefined, ...trial }); return whole.language === language && whole.script === script && whole.region === region; };
    for (const trial of [{ language }, { language, region }, { language, script }]) if (same(trial)) return { ...own, script: undefined, region: undefined, ...trial };
    return { ...own, language, script, region };
  };
  const made = (own) => new Locale(join(own));
  const Locale = constructor('Locale', function (tag, settings) {
    if (new.target === undefined) throw new TypeError("Constructor Intl.Locale requires 'new'");
    if (typeof tag !== 'string' && (typeof tag !== 'object' || tag === null)) throw new TypeError('First argument to Intl.Locale constructor can\'t be empty or missing');
    const options = optionsOf(settings), own = pieces(canonical(`${tag}`));
    for (const [name, form] of [['language', /^([a-z]{2,3}|[a-z]{5,8})$/i], ['script', /^[a-z]{4}$/i], ['region', /^([a-z]{2}|\d{3})$/i]]) {
      const value = choice(options, name);
      if (value === undefined) continue;
      if (!form.test(value)) throw wrong();
      own[name] = value;
    }
    for (const [key, name] of KEYS) {
      let value = options[name];
      if (value === undefined) continue;
      value = name === 'numeric' ? `${Boolean(value)}` : choice(options, name, { hourCycle: ['h11', 'h12', 'h23', 'h24'], caseFirst: ['upper', 'lower', 'false'] }[name], undefined, 'Intl.Locale').toLowerCase();
      if (!/^[a-z0-9]{3,8}(-[a-z0-9]{3,8})*$/.test(value)) throw wrong();
      own.keywords.set(key, value);
    }
    new Slots(this, pieces(canonical(join(own))));
  }, {
    toString() { return join(Slots.get(this, 'toString')); },
    maximize() { return made(maximal(Slots.get(this, 'maximize'))); },
    minimize() { return made(minimal(Slots.get(this, 'minimize'))); },
    get baseName() { return join({ ...Slots.get(this, 'baseName'), keywords: [] }); },
    get language() { return Slots.get(this, 'language').language; },
    get script() { return Slots.get(this, 'script').script; },
    get region() { return Slots.get(this, 'region').region; },
    get calendar() { return Slots.get(this, 'calendar').keywords.get('ca'); },
    get collation() { return Slots.get(this, 'collation').keywords.get('co'); },
    get hourCycle() { return Slots.get(this, 'hourCycle').keywords.get('hc'); },
    get caseFirst() { return Slots.get(this, 'caseFirst').keywords.get('kf'); },
    get numeric() { const value = Slots.get(this, 'numeric').keywords.get('kn'); return value === '' || value === 'true'; },
    get numberingSystem() { return Slots.get(this, 'numberingSystem').keywords.get('nu'); },
  });
  delete Locale.supportedLocalesOf;
  Object.defineProperty(Locale, 'length', { value: 1, configurable: true });

  const lists = {
    calendar: () => ['gregory', 'iso8601'], collation: () => ['default'], timeZone: () => internal.lazy('intl_zones').all(),
    currency: () => Object.entries(native.localeData('numbers/en').currencies).filter(([, { displayName }]) => !/\(\d{4}/.test(displayName.other)).map(([code]) => code).sort(), numberingSystem: () => Object.keys(native.localeData('numbers/en').numbers.aliases ?? {}).concat('latn').sort(),
    unit: () => Object.keys(native.localeData('numbers/en').units.simple).filter((unit) => !unit.includes('-per-')).sort(),
  };
  const supportedValues = (key) => {
    if (!Object.hasOwn(lists, key)) throw new RangeError(`Invalid key : ${key}`);
    return lists[key]();
  };
  return { Locale, supportedValues };
}
