//! `Intl.PluralRules`, `ListFormat`, `RelativeTimeFormat` and `DisplayNames`: options are checked here, the texts are made by formatjs.
(native, internal) => {
  const intl = internal.lazy('intl');
  const { choice, count, identifier, optionsOf, resolve, classes, constructor, pluralLocale, canonical } = intl;
  const WIDTHS = ['long', 'short', 'narrow'];
  const slots = Object.fromEntries(['PluralRules', 'ListFormat', 'RelativeTimeFormat', 'DisplayNames'].map((name) => [name, intl.makeSlots(name)]));
  const needNew = (target, name) => { if (target === undefined) throw new TypeError(`Constructor Intl.${name} requires 'new'`); };
  const taking = (options, name) => {
    choice(options, 'localeMatcher', ['lookup', 'best fit'], 'best fit', `Intl.${name}`);
    return (key, choices, otherwise) => choice(options, key, choices, otherwise, `Intl.${name}`);
  };

  const PluralRules = constructor('PluralRules', function (locales, settings) {
    needNew(new.target, 'PluralRules');
    const { data } = resolve(locales), options = optionsOf(settings), take = taking(options, 'PluralRules');
    const plain = { type: take('type', ['cardinal', 'ordinal'], 'cardinal') };
    for (const [name, low, high] of [['minimumIntegerDigits', 1, 21], ['minimumFractionDigits', 0, 100], ['maximumFractionDigits', 0, 100], ['minimumSignificantDigits', 1, 21], ['maximumSignificantDigits', 1, 21], ['roundingIncrement', 1, 5000]]) {
      const value = count(options, name, low, high);
      if (value !== undefined) plain[name] = value;
    }
    for (const [name, choices] of [['roundingMode', ['ceil', 'floor', 'expand', 'trunc', 'halfCeil', 'halfFloor', 'halfExpand', 'halfTrunc', 'halfEven']], ['roundingPriority', ['auto', 'morePrecision', 'lessPrecision']], ['trailingZeroDisplay', ['auto', 'stripIfInteger']]]) {
      const value = take(name, choices);
      if (value !== undefined) plain[name] = value;
    }
    const locale = data === 'pt-PT' ? data : data.split('-')[0];
    new slots.PluralRules(this, { inner: new (classes.PluralRules())(pluralLocale(data), plain), locale });
  }, {
    select(value) { return slots.PluralRules.get(this, 'select').inner.select(Number(value)); },
    selectRange(start, end) {
      const { inner } = slots.PluralRules.get(this, 'selectRange');
      if (start === undefined || end === undefined) throw new TypeError(`Invalid ${start === undefined ? 'start' : 'end'} argument undefined`);
      return inner.selectRange(Number(start), Number(end));
    },
    resolvedOptions() {
      const { inner, locale } = slots.PluralRules.get(this, 'resolvedOptions');
      const { notation, pluralCategories, ...rest } = inner.resolvedOptions();
      const { roundingIncrement, roundingMode, roundingPriority, trailingZeroDisplay, ...first } = rest;
      return { ...first, locale, pluralCategories: [...pluralCategories].sort((a, b) => order.indexOf(a) - order.indexOf(b)), roundingIncrement, roundingMode, roundingPriority, trailingZeroDisplay };
    },
  });
  const order = ['few', 'many', 'one', 'two', 'zero', 'other'];

  const textsOf = (list) => Array.from(list, (item) => { if (typeof item !== 'string') throw new TypeError(`Iterable yielded ${String(item)} which is not a string`); return item; });
  // In Spanish `y` and `o` change before words that begin with their own sound.
  const listParts = ({ inner, data }, list) => {
    const texts = list === undefined ? [] : textsOf(list), parts = inner.formatToParts(texts), last = texts.at(-1);
    if (texts.length < 2 || !data.startsWith('es')) return parts;
    const literal = parts.at(-2);
    if (/^(i|hi(?![ae]))/i.test(last)) literal.value = literal.value.replace(/ y $/, ' e ');
    if (/^(o|ho|8|11(?!\d)|11 )/i.test(last)) literal.value = literal.value.replace(/ o $/, ' u ');
    return parts;
  };
  const ListFormat = constructor('ListFormat', function (locales, settings) {
    needNew(new.target, 'ListFormat');
    const { locale, data } = resolve(locales);
    if (settings !== undefined && (typeof settings !== 'object' || settings === null) && typeof settings !== 'function') throw new TypeError('Incorrect options value');
    const options = optionsOf(settings), take = taking(options, 'ListFormat');
    const type = take('type', ['conjunction', 'disjunction', 'unit'], 'conjunction'), style = take('style', WIDTHS, 'long');
    new slots.ListFormat(this, { inner: new (classes.ListFormat(data))(data, { type, style }), data, locale, type, style });
  }, {
    format(list) { let text = ''; for (const { value } of listParts(slots.ListFormat.get(this, 'format'), list)) text += value; return text; },
    formatToParts(list) { return listParts(slots.ListFormat.get(this, 'formatToParts'), list); },
    resolvedOptions() { const { locale, type, style } = slots.ListFormat.get(this, 'resolvedOptions'); return { locale, type, style }; },
  });

  const UNITS = ['second', 'minute', 'hour', 'day', 'week', 'month', 'quarter', 'year'];
  const relative = (object, method, value, unit) => {
    const { inner } = slots.RelativeTimeFormat.get(object, method);
    value = Number(value);
    unit = `${unit}`;
    const singular = unit.replace(/s$/, '');
    if (!UNITS.includes(singular)) throw new RangeError(`Invalid unit argument for Intl.RelativeTimeFormat.prototype.${method}() '${unit}'`);
    if (!Number.isFinite(value)) throw new RangeError(`Value need to be finite number for Intl.RelativeTimeFormat.prototype.${method}()`);
    return inner[method](value, singular);
  };
  const RelativeTimeFormat = constructor('RelativeTimeFormat', function (locales, settings) {
    needNew(new.target, 'RelativeTimeFormat');
    const { locale, data, keywords } = resolve(locales, ['nu']), options = optionsOf(settings), take = taking(options, 'RelativeTimeFormat');
    const numberingSystem = identifier(options, 'numberingSystem') ?? keywords.nu;
    const style = take('style', WIDTHS, 'long'), numeric = take('numeric', ['always', 'auto'], 'always');
    const plain = { style, numeric };
    if (numberingSystem !== undefined) plain.numberingSystem = numberingSystem;
    new slots.RelativeTimeFormat(this, { inner: new (classes.RelativeTimeFormat(data))(data, plain), locale, style, numeric });
  }, {
    format(value, unit) { return relative(this, 'format', value, unit); },
    formatToParts(value, unit) { return relative(this, 'formatToParts', value, unit); },
    resolvedOptions() {
      const { inner, locale, style, numeric } = slots.RelativeTimeFormat.get(this, 'resolvedOptions');
      return { locale, style, numeric, numberingSystem: inner.resolvedOptions().numberingSystem ?? 'latn' };
    },
  });

  // The name of a language with a script or a region, where CLDR has none for the whole.
  const composed = (own, code) => {
    const [language, ...rest] = code.split('-'), name = own.inner.of(language);
    if (name === undefined || (name === language && own.fallback !== 'code')) return undefined;
    const details = rest.map((part) => {
      const type = part.length === 4 ? 'script' : 'region';
      return new (classes.DisplayNames(own.data))(own.data, { type, style: own.style }).of(part);
    });
    return native.localeData(`names/${own.data}`).patterns.locale.replace('{0}', name).replace('{1}', details.join(', '));
  };
  const TYPES = ['language', 'region', 'script', 'currency', 'calendar', 'dateTimeField'];
  const DisplayNames = constructor('DisplayNames', function (locales, settings) {
    needNew(new.target, 'DisplayNames');
    const { locale, data } = resolve(locales);
    if (settings === undefined) throw new TypeError('invalid_argument');
    const options = optionsOf(settings), take = taking(options, 'DisplayNames');
    const style = take('style', WIDTHS, 'long'), type = take('type', TYPES);
    if (type === undefined) throw new TypeError('Required option "type" must not be undefined');
    const fallback = take('fallback', ['code', 'none'], 'code'), languageDisplay = take('languageDisplay', ['dialect', 'standard'], 'dialect');
    const inner = new (classes.DisplayNames(data))(data, { type, style, fallback, languageDisplay });
    new slots.DisplayNames(this, { inner, locale, data, style, type, fallback, languageDisplay });
  }, {
    of(code) {
      const own = slots.DisplayNames.get(this, 'of');
      code = `${code}`;
      if (own.type === 'language' && /^[a-z]{2,3}(-|$)/i.test(code)) code = canonical(code);
      let name;
      try { name = own.inner.of(code); } catch { throw new RangeError('invalid_argument'); }
      if (own.type === 'language' && code.includes('-') && (name === undefined || name === code || code.split('-').length > 2)) return composed(own, code) ?? name;
      return name;
    },
    resolvedOptions() {
      const { locale, style, type, fallback, languageDisplay } = slots.DisplayNames.get(this, 'resolvedOptions');
      return type === 'language' ? { locale, style, type, fallback, languageDisplay } : { locale, style, type, fallback };
    },
  });
  return { PluralRules, ListFormat, RelativeTimeFormat, DisplayNames };
}
