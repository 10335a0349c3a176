//! `Intl.Collator`: which order do a locale and its options mean?
(native, internal) => {
  const { compare } = internal.lazy('collate');
  const intl = internal.lazy('intl');
  const { choice, optionsOf, resolve, constructor, refuse } = intl;
  const Slots = intl.makeSlots('Collator');
  const NAME = 'Intl.Collator';
  const make = (locales, settings) => {
    const { locale, data, keywords } = resolve(locales, ['co', 'kf', 'kn']), options = optionsOf(settings);
    const usage = choice(options, 'usage', ['sort', 'search'], 'sort', NAME);
    choice(options, 'localeMatcher', ['lookup', 'best fit'], 'best fit', NAME);
    const collation = choice(options, 'collation') ?? keywords.co;
    if (collation !== undefined && collation !== 'default' && collation !== 'standard') throw refuse(`the collation \`${collation}\``);
    const numeric = options.numeric === undefined ? keywords.kn === '' || keywords.kn === 'true' : Boolean(options.numeric);
    const caseFirst = choice(options, 'caseFirst', ['upper', 'lower', 'false'], undefined, NAME) ?? (['upper', 'lower', 'false'].includes(keywords.kf) ? keywords.kf : data.startsWith('da') ? 'upper' : 'false');
    const sensitivity = choice(options, 'sensitivity', ['base', 'accent', 'case', 'variant'], 'variant', NAME);
    const ignorePunctuation = Boolean(options.ignorePunctuation), [language] = data.split('-');
    const han = { zh: data.startsWith('zh-Hant') ? 'zh-Hant' : 'zh', ja: 'ja', ko: 'ko' }[language];
    const isShown = (key, value) => key in keywords && value;
    const extension = [isShown('kf', options.caseFirst === undefined) ? `-kf-${caseFirst}` : '', isShown('kn', options.numeric === undefined) ? (numeric ? '-kn' : '-kn-false') : ''].join('');
    return { locale: extension ? `${locale}-u${extension}` : locale, usage, rules: { numeric, ignorePunctuation, sensitivity, caseFirst, language, han } };
  };
  const Collator = constructor('Collator', function (locales, settings) {
    if (new.target === undefined) return new Collator(locales, settings);
    new Slots(this, make(locales, settings));
  }, {
    get compare() {
      const own = Slots.get(this, 'compare');
      if (own.bound === undefined) {
        own.bound = (a, b) => compare(`${a}`, `${b}`, own.rules);
        Object.defineProperty(own.bound, 'name', { value: '', configurable: true });
      }
      return own.bound;
    },
    resolvedOptions() {
      const { locale, usage, rules: { sensitivity, ignorePunctuation, numeric, caseFirst } } = Slots.get(this, 'resolvedOptions');
      return { locale, usage, sensitivity, ignorePunctuation, collation: 'default', numeric, caseFirst };
    },
  });
  return { Collator, make };
}
