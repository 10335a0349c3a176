//! `Intl.NumberFormat`: options are checked here, as V8 words them; the text is made by formatjs.
(native, internal) => {
  const intl = internal.lazy('intl');
  const { choice, count, identifier, optionsOf, resolve, classes, constructor } = intl;
  const Slots = intl.makeSlots('NumberFormat');
  const NAME = 'Intl.NumberFormat';
  const read = (options) => {
    const plain = Object.create(null);
    const take = (name, choices, otherwise) => { const value = choice(options, name, choices, otherwise, NAME); if (value !== undefined) plain[name] = value; return value; };
    take('localeMatcher', ['lookup', 'best fit'], 'best fit');
    const numberingSystem = identifier(options, 'numberingSystem');
    const style = take('style', ['decimal', 'percent', 'currency', 'unit'], 'decimal');
    const currency = choice(options, 'currency');
    if (currency !== undefined && !/^[a-z]{3}$/i.test(currency)) throw new RangeError(`Invalid currency code : ${currency}`);
    if (style === 'currency' && currency === undefined) throw new TypeError('Currency code is required with currency style.');
    if (style === 'currency') plain.currency = currency;
    take('currencyDisplay', ['code', 'symbol', 'narrowSymbol', 'name']);
    take('currencySign', ['standard', 'accounting']);
    const unit = choice(options, 'unit');
    if (style === 'unit' && unit === undefined) throw new TypeError('Required unit option');
    if (unit !== undefined) plain.unit = unit;
    take('unitDisplay', ['short', 'narrow', 'long']);
    take('notation', ['standard', 'scientific', 'engineering', 'compact']);
    for (const [name, low, high] of [['minimumIntegerDigits', 1, 21], ['minimumFractionDigits', 0, 100], ['maximumFractionDigits', 0, 100], ['minimumSignificantDigits', 1, 21], ['maximumSignificantDigits', 1, 21]]) {
      const value = count(options, name, low, high);
      if (value !== undefined) plain[name] = value;
    }
    if (plain.minimumFractionDigits > plain.maximumFractionDigits) throw new RangeError('maximumFractionDigits value is out of range.');
    if (plain.minimumSignificantDigits > plain.maximumSignificantDigits) throw new RangeError('maximumSignificantDigits value is out of range.');
    const increment = count(options, 'roundingIncrement', 1, 5000);
    if (increment !== undefined) {
      if (![1, 2, 5, 10, 20, 25, 50, 100, 200, 250, 500, 1000, 2000, 2500, 5000].includes(increment)) throw new RangeError('roundingIncrement value is out of range.');
      plain.roundingIncrement = increment;
    }
    take('roundingMode', ['ceil', 'floor', 'expand', 'trunc', 'halfCeil', 'halfFloor', 'halfExpand', 'halfTrunc', 'halfEven']);
    take('roundingPriority', ['auto', 'morePrecision', 'lessPrecision']);
    take('trailingZeroDisplay', ['auto', 'stripIfInteger']);
    take('compactDisplay', ['short', 'long']);
    const { useGrouping } = options;
    if (useGrouping !== undefined) {
      const text = typeof useGrouping === 'boolean' || useGrouping === null ? useGrouping : `${useGrouping}`;
      if (typeof text === 'string' && !['min2', 'auto', 'always', 'true', 'false', ''].includes(text)) throw new RangeError(`Value ${text} out of range for ${NAME} options property useGrouping`);
      plain.useGrouping = useGrouping;
    }
    take('signDisplay', ['auto', 'never', 'always', 'exceptZero', 'negative']);
    return { plain, numberingSystem };
  };
  const make = (locales, settings) => {
    const { locale, data, keywords } = resolve(locales, ['nu']), { plain, numberingSystem } = read(optionsOf(settings));
    const wanted = numberingSystem ?? keywords.nu;
    if (wanted !== undefined) plain.numberingSystem = wanted;
    let inner;
    try {
      inner = new (classes.NumberFormat(data))(data, plain);
    } catch (error) {
      if (plain.unit !== undefined && /unit/i.test(error.message)) throw new RangeError(`Invalid unit argument for Intl.NumberFormat() '${plain.unit}'`);
      throw error;
    }
    const isShown = keywords.nu !== undefined && keywords.nu === inner.resolvedOptions().numberingSystem && (numberingSystem === undefined || numberingSystem === keywords.nu);
    return { inner, locale: isShown ? `${locale}-u-nu-${keywords.nu}` : locale };
  };
  const slots = (object, method) => Slots.get(object, method);
  const range = (start, end, inner, method) => {
    if (start === undefined || end === undefined) throw new TypeError(`Invalid ${start === undefined ? 'start' : 'end'} : undefined`);
    return inner[method](start, end);
  };
  const NumberFormat = constructor('NumberFormat', function (locales, options) {
    if (new.target === undefined) return new NumberFormat(locales, options);
    new Slots(this, { ...internal.lazy('locale').keeping('number', locales, options, () => make(locales, options)) });
  }, {
    get format() {
      const own = slots(this, 'format'), { inner } = own;
      if (own.bound === undefined) {
        const { format } = inner;
        own.bound = (value) => format(value);
        Object.defineProperty(own.bound, 'name', { value: '', configurable: true });
      }
      return own.bound;
    },
    formatToParts(value) { return slots(this, 'formatToParts').inner.formatToParts(value); },
    formatRange(start, end) { return range(start, end, slots(this, 'formatRange').inner, 'formatRange'); },
    formatRangeToParts(start, end) { return range(start, end, slots(this, 'formatRangeToParts').inner, 'formatRangeToParts'); },
    resolvedOptions() { const { inner, locale } = slots(this, 'resolvedOptions'); return { ...inner.resolvedOptions(), locale }; },
  });
  return { NumberFormat, make };
}
