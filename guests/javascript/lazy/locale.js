//! `toLocaleString` of numbers and dates: how does a locale write them?
//!
//! English is there as a whole, of other languages their figures and numeric dates. What is not there is a `RangeError`, never left out.
(native, internal) => {
  const SPACE = '\u00a0';
  const refuse = (what) => new RangeError(`${what} is not in the sandbox`);
  // Of each locale: group and decimal sign, digits before the first group of a number that is grouped, minus, percentage, negative amount (or a positive and a
  // negative one), signs of the currencies below, what is no number.
  const CURRENCIES = ['USD', 'EUR', 'GBP', 'JPY', 'CAD', 'AUD', 'CHF', 'INR', 'CNY', 'BRL', 'MXN', 'KRW'];
  const figures = {
    'en-US': [',', '.', 1, '-', '#%', '-$#', '$ € £ ¥ CA$ A$ CHF ₹ CN¥ R$ MX$ ₩', 'NaN'],
    'en-GB': [',', '.', 1, '-', '#%', '-$#', 'US$ € £ JP¥ CA$ A$ CHF ₹ CN¥ R$ MX$ ₩', 'NaN'],
    'en-AU': [',', '.', 1, '-', '#%', '-$\u00a0#', 'USD EUR GBP JPY CAD $ CHF INR CNY BRL MXN KRW', 'NaN'],
    'en-CA': [',', '.', 1, '-', '#%', '-$#', 'US$ € £ JP¥ $ A$ CHF ₹ CN¥ R$ MX$ ₩', 'NaN'],
    'en-IN': [',', '.', 1, '-', '#%', '-$#', '$ € £ JP¥ CA$ A$ CHF ₹ CN¥ R$ MX$ ₩', 'NaN'],
    'en-IE': [',', '.', 1, '-', '#%', '-$#', 'US$ € £ JP¥ CA$ A$ CHF ₹ CN¥ R$ MX$ ₩', 'NaN'],
    'en-NZ': [',', '.', 1, '-', '#%', '-$#', 'US$ € £ JP¥ CA$ A$ CHF ₹ CN¥ R$ MX$ ₩', 'NaN'],
    'de-DE': ['.', ',', 1, '-', '#\u00a0%', '-#\u00a0$', '$ € £ ¥ CA$ AU$ CHF ₹ CN¥ R$ MX$ ₩', 'NaN'],
    'de-AT': ['\u00a0', ',', 1, '-', '#\u00a0%', '-$\u00a0#', '$ € £ ¥ CA$ AU$ CHF ₹ CN¥ R$ MX$ ₩', 'NaN'],
    'de-CH': ["'", '.', 1, '-', '#%', '$\u00a0#|$-#', '$ EUR £ ¥ CA$ AU$ CHF ₹ CN¥ R$ MX$ ₩', 'NaN'],
    'fr-FR': ['\u202f', ',', 1, '-', '#\u00a0%', '-#\u00a0$', '$US € £GB JPY $CA $AU CHF ₹ CNY R$ $MX ₩', 'NaN'],
    'fr-CA': ['\u00a0', ',', 1, '-', '#\u00a0%', '-#\u00a0$', '$\u00a0US € £ ¥ $ $\u00a0AU CHF INR CN¥ R$ MXN KRW', 'NaN'],
    'es-ES': ['.', ',', 2, '-', '#\u00a0%', '-#\u00a0$', 'US$ € GBP JPY CAD AUD CHF INR CNY BRL MXN KRW', 'NaN'],
    'es-MX': [',', '.', 1, '-', '#%', '-$\u00a0#', 'USD EUR GBP JPY CAD AUD CHF INR CNY BRL $ KRW', 'NaN'],
    'it-IT': ['.', ',', 2, '-', '#%', '-#\u00a0$', 'USD € £ JPY CA$ A$ CHF INR CN¥ BRL MXN KRW', 'NaN'],
    'nl-NL': ['.', ',', 1, '-', '#%', '$\u00a0-#', 'US$ € £ JP¥ C$ AU$ CHF ₹ CN¥ R$ MX$ ₩', 'NaN'],
    'pt-BR': ['.', ',', 1, '-', '#%', '-$\u00a0#', 'US$ € £ JP¥ CA$ AU$ CHF ₹ CN¥ R$ MX$ ₩', 'NaN'],
    'pt-PT': ['\u00a0', ',', 2, '-', '#%', '-#\u00a0$', 'US$ € £ JP¥ CA$ AU$ CHF ₹ CN¥ R$ MX$ ₩', 'NaN'],
    'sv-SE': ['\u00a0', ',', 1, '−', '#\u00a0%', '-#\u00a0$', 'US$ € GBP JPY CA$ AUD CHF INR CNY BR$ MX$ KRW', 'NaN'],
    'nb-NO': ['\u00a0', ',', 1, '−', '#\u00a0%', '-#\u00a0$', 'USD € £ JPY CAD AUD CHF INR CNY BRL MXN KRW', 'NaN'],
    'da-DK': ['.', ',', 1, '-', '#\u00a0%', '-#\u00a0$', 'US$ € £ JP¥ CA$ AU$ CHF ₹ CN¥ R$ MX$ ₩', 'NaN'],
    'fi-FI': ['\u00a0', ',', 1, '−', '#\u00a0%', '-#\u00a0$', '$ € £ ¥ CAD AUD CHF INR CNY BRL MXN KRW', 'epäluku'],
    'pl-PL': ['\u00a0', ',', 2, '-', '#%', '-#\u00a0$', 'USD € GBP JPY CAD AUD CHF INR CNY R$ MXN KRW', 'NaN'],
    'cs-CZ': ['\u00a0', ',', 1, '-', '#\u00a0%', '-#\u00a0$', 'US$ € £ JP¥ CA$ AU$ CHF INR CN¥ R$ MX$ ₩', 'NaN'],
    'ru-RU': ['\u00a0', ',', 1, '-', '#\u00a0%', '-#\u00a0$', '$ € £ ¥ CA$ A$ CHF ₹ CN¥ R$ MX$ ₩', 'не\u00a0число'],
    'uk-UA': ['\u00a0', ',', 1, '-', '#%', '-#\u00a0$', 'USD EUR GBP ¥ CAD AUD CHF INR CNY BRL MXN KRW', 'NaN'],
    'tr-TR': ['.', ',', 1, '-', '%#', '-$#', '$ € £ ¥ CA$ AU$ CHF ₹ CN¥ R$ MX$ ₩', 'NaN'],
    'ja-JP': [',', '.', 1, '-', '#%', '-$#', '$ € £ ￥ CA$ A$ CHF ₹ 元 R$ MX$ ₩', 'NaN'],
    'zh-CN': [',', '.', 1, '-', '#%', '-$#', 'US$ € £ JP¥ CA$ AU$ CHF ₹ ¥ R$ MX$ ₩', 'NaN'],
    'ko-KR': [',', '.', 1, '-', '#%', '-$#', 'US$ € £ JP¥ CA$ AU$ CHF ₹ CN¥ R$ MX$ ₩', 'NaN'],
    'id-ID': ['.', ',', 1, '-', '#%', '-$#', 'US$ € £ JP¥ CA$ AU$ CHF Rs CN¥ R$ MX$ ₩', 'NaN'],
  };
  // Numeric date, time (with the words for the halves of a day) and what is between them; American and British dates are below.
  const dates = {
    'en-AU': ['dd/mm/y', 'h:MM:SS am', ', '], 'en-CA': ['y-mm-dd', 'h:MM:SS a.m.', ', '], 'en-IN': ['d/m/y', 'h:MM:SS am', ', '], 'en-IE': ['d/m/y', 'HH:MM:SS', ', '], 'en-NZ': ['d/mm/y', 'h:MM:SS am', ', '],
    'de-DE': ['d.m.y', 'HH:MM:SS', ', '], 'de-AT': ['d.m.y', 'HH:MM:SS', ', '], 'de-CH': ['d.m.y', 'HH:MM:SS', ', '], 'fr-FR': ['dd/mm/y', 'HH:MM:SS', ' '], 'es-ES': ['d/m/y', 'H:MM:SS', ', '], 'es-MX': ['d/m/y', 'h:MM:SS a.m.', ', '],
    'it-IT': ['dd/mm/y', 'HH:MM:SS', ', '], 'nl-NL': ['d-m-y', 'HH:MM:SS', ', '], 'pt-BR': ['dd/mm/y', 'HH:MM:SS', ', '], 'pt-PT': ['dd/mm/y', 'HH:MM:SS', ', '], 'sv-SE': ['y-mm-dd', 'HH:MM:SS', ' '], 'nb-NO': ['d.m.y', 'HH:MM:SS', ', '],
    'da-DK': ['d.m.y', 'HH.MM.SS', ', '], 'fi-FI': ['d.m.y', 'H.MM.SS', ' klo '], 'pl-PL': ['d.mm.y', 'HH:MM:SS', ', '], 'cs-CZ': ['d. m. y', 'H:MM:SS', ' '], 'ru-RU': ['dd.mm.y', 'HH:MM:SS', ', '], 'uk-UA': ['dd.mm.y', 'HH:MM:SS', ', '],
    'tr-TR': ['dd.mm.y', 'HH:MM:SS', ' '], 'ja-JP': ['y/m/d', 'H:MM:SS', ' '], 'zh-CN': ['y/m/d', 'HH:MM:SS', ' '], 'id-ID': ['d/m/y', 'HH.MM.SS', ', '],
  };

  const localeOf = (locales) => {
    const [first] = Array.isArray(locales) ? locales : [locales];
    if (first === undefined) return 'en-US';
    if (typeof first !== 'string' && typeof first !== 'object') throw new TypeError('Incorrect locale information provided');
    const tag = `${first}`;
    if (!/^[A-Za-z]{2,8}([-_][A-Za-z0-9]{1,8})*$/.test(tag) || tag.includes('_')) throw new RangeError(`Incorrect locale information provided`);
    if (tag.includes('-u-')) throw refuse(`the locale extension of \`${tag}\``);
    const [language, ...parts] = tag.split('-');
    const region = parts.find((part) => /^[A-Za-z]{2}$/.test(part))?.toUpperCase(), plain = language.toLowerCase();
    const name = region === undefined ? Object.keys(figures).find((one) => one.startsWith(`${plain}-`)) : `${plain}-${region}`;
    if (!Object.hasOwn(figures, name)) throw refuse(`the locale \`${tag}\``);
    return name;
  };
  const choice = (options, name, all, otherwise) => {
    const value = options[name];
    if (value === undefined) return otherwise;
    if (!all.includes(`${value}`)) throw new RangeError(`Value ${value} out of range for Intl options property ${name}`);
    return `${value}`;
  };
  const count = (options, name, low, high, otherwise) => {
    if (options[name] === undefined) return otherwise;
    const value = Number(options[name]);
    if (!(value >= low && value <= high)) throw new RangeError(`${name} value is out of range.`);
    return Math.floor(value);
  };
  const known = (options, names, what) => {
    for (const name of Object.keys(options)) if (options[name] !== undefined && !names.includes(name)) throw refuse(`the option \`${name}\` of ${what}`);
  };

  // A number as digits, with the point behind so many of them.
  const decimalOf = (value) => {
    if (typeof value === 'bigint') { const digits = `${value < 0n ? -value : value}`; return { digits, point: digits.length }; }
    const [mantissa, exponent] = Math.abs(value).toExponential().split('e');
    return { digits: mantissa.replace('.', ''), point: Number(exponent) + 1 };
  };
  // Rounded to so many digits, halves away from zero.
  const cut = ({ digits, point }, keep) => {
    if (keep >= digits.length) return { digits, point };
    if (keep < 0) return { digits: '0', point: 1 };
    const up = digits[keep] >= '5';
    let kept = digits.slice(0, keep);
    if (up) {
      const more = `${BigInt(`0${kept}`) + 1n}`.padStart(kept.length, '0');
      if (more.length > kept.length) point++;
      kept = more;
    }
    return kept === '' ? { digits: '0', point: 1 } : { digits: kept, point };
  };
  const plainText = ({ digits, point }) => {
    if (point <= 0) return ['0', '0'.repeat(-point) + digits];
    return digits.length <= point ? [digits.padEnd(point, '0'), ''] : [digits.slice(0, point), digits.slice(point)];
  };
  const rounded = (decimal, { minFraction, maxFraction, minSignificant, maxSignificant }) => {
    if (maxSignificant !== undefined) {
      const isZero = /^0*$/.test(decimal.digits);
      let [whole, fraction] = plainText(isZero ? { digits: '0', point: 1 } : cut(decimal, maxSignificant));
      fraction = fraction.replace(/0+$/, '');
      const have = isZero ? 1 : (whole === '0' ? '' : whole).length + (whole === '0' ? fraction.replace(/^0+/, '') : fraction).length;
      return [whole, fraction + '0'.repeat(Math.max(0, minSignificant - have))];
    }
    const [whole, fraction] = plainText(cut(decimal, decimal.point + maxFraction));
    return [whole, fraction.slice(0, maxFraction).replace(/0+$/, '').padEnd(minFraction, '0')];
  };
  const grouped = (whole, locale, sign, atLeast) => {
    if (whole.length < 3 + atLeast) return whole;
    return locale === 'en-IN' ? whole.replace(/\B(?=(?:\d{2})*\d{3}$)/g, sign) : whole.replace(/\B(?=(?:\d{3})+$)/g, sign);
  };

  const moreCurrencies = { NZD: 'NZ$', ILS: '₪', VND: '₫', TWD: 'NT$', HKD: 'HK$', XAF: 'FCFA', XOF: 'F\u202fCFA', PHP: '₱' };
  const narrow = { USD: '$', CAD: '$', AUD: '$', MXN: '$', NZD: '$', HKD: '$', TWD: '$', CNY: '¥', JPY: '¥', KRW: '₩', BRL: 'R$', INR: '₹', EUR: '€', GBP: '£', CHF: 'CHF', ILS: '₪', VND: '₫', PHP: '₱' };
  const currencyNames = { USD: ['US dollar', 'US dollars'], EUR: ['euro', 'euros'], GBP: ['British pound', 'British pounds'], JPY: ['Japanese yen', 'Japanese yen'] };
  const withoutFraction = ['JPY', 'KRW', 'VND', 'CLP', 'ISK', 'UGX', 'XAF', 'XOF', 'PYG'];
  const numberOptions = ['style', 'currency', 'currencyDisplay', 'currencySign', 'minimumIntegerDigits', 'minimumFractionDigits', 'maximumFractionDigits', 'minimumSignificantDigits', 'maximumSignificantDigits', 'useGrouping', 'notation', 'compactDisplay', 'signDisplay', 'localeMatcher', 'roundingMode', 'numberingSystem'];
  const digitsOf = (options, least, most) => {
    if (options.minimumSignificantDigits !== undefined || options.maximumSignificantDigits !== undefined) {
      const minSignificant = count(options, 'minimumSignificantDigits', 1, 21, 1);
      return { minSignificant, maxSignificant: count(options, 'maximumSignificantDigits', minSignificant, 21, 21) };
    }
    let minFraction = count(options, 'minimumFractionDigits', 0, 100), maxFraction = count(options, 'maximumFractionDigits', 0, 100);
    if (minFraction !== undefined && maxFraction !== undefined && minFraction > maxFraction) throw new RangeError('maximumFractionDigits value is out of range.');
    minFraction ??= Math.min(least, maxFraction ?? least);
    maxFraction ??= Math.max(most, minFraction);
    return { minFraction, maxFraction };
  };
  const compactTexts = [['', ''], ['K', ' thousand'], ['M', ' million'], ['B', ' billion'], ['T', ' trillion']];

  const number = (value, locales, settings) => {
    const locale = localeOf(locales), options = settings === undefined ? {} : Object(settings);
    known(options, numberOptions, 'numbers');
    const style = choice(options, 'style', ['decimal', 'percent', 'currency'], 'decimal');
    if (options.roundingMode !== undefined && options.roundingMode !== 'halfExpand') throw refuse(`the rounding mode \`${options.roundingMode}\``);
    if (options.numberingSystem !== undefined && options.numberingSystem !== 'latn') throw refuse(`the numbering system \`${options.numberingSystem}\``);
    const code = options.currency === undefined ? undefined : `${options.currency}`.toUpperCase();
    if (style === 'currency' && code === undefined) throw new TypeError('Currency code is required with currency style.');
    if (code !== undefined && !/^[A-Z]{3}$/.test(code)) throw new RangeError(`Invalid currency code : ${options.currency}`);
    const notation = choice(options, 'notation', ['standard', 'compact', 'scientific', 'engineering'], 'standard');
    if (notation === 'compact' && !locale.startsWith('en-')) throw refuse(`the compact notation of \`${locale}\``);
    const money = code !== undefined && withoutFraction.includes(code) ? 0 : 2;
    const [least, most] = style === 'currency' ? [money, money] : style === 'percent' ? [0, 0] : [0, 3];
    const digits = digitsOf(options, least, most);
    const [group, point, atLeast, , , , , notANumber] = figures[locale];
    const isNumber = typeof value === 'bigint' || !Number.isNaN(value);
    const isInfinite = value === Infinity || value === -Infinity;
    let isNegative = value < 0 || Object.is(value, -0), suffix = '', text;
    if (!isNumber) { text = notANumber; isNegative = false; } else if (isInfinite) text = '∞';
    else {
      let decimal = decimalOf(value);
      if (style === 'percent' && !/^0*$/.test(decimal.digits)) decimal.point += 2;
      let parts;
      if (notation === 'compact') {
        const round = (at) => {
          const moved = { digits: decimal.digits, point: decimal.point - 3 * at };
          const hasOwn = ['minimumFractionDigits', 'maximumFractionDigits', 'minimumSignificantDigits', 'maximumSignificantDigits'].some((name) => options[name] !== undefined);
          return rounded(moved, hasOwn ? digits : moved.point >= 2 ? { minFraction: 0, maxFraction: 0 } : { minSignificant: 1, maxSignificant: 2 });
        };
        let at = Math.min(4, Math.max(0, Math.floor((decimal.point - 1) / 3)));
        parts = round(at);
        if (parts[0].length > 3 && at < 4) parts = round(++at);
        suffix = compactTexts[at][choice(options, 'compactDisplay', ['short', 'long'], 'short') === 'long' && style !== 'currency' ? 1 : 0];
      } else if (notation !== 'standard' && !/^0*$/.test(decimal.digits)) {
        const step = notation === 'engineering' ? 3 : 1;
        let exponent = Math.floor((decimal.point - 1) / step) * step;
        parts = rounded({ digits: decimal.digits, point: decimal.point - exponent }, digits);
        if (parts[0].length > step) { exponent += step; parts = rounded({ digits: decimal.digits, point: decimal.point - exponent }, digits); }
        suffix = `E${exponent}`;
      } else { parts = rounded(decimal, digits); if (notation !== 'standard') suffix = 'E0'; }
      const whole = parts[0].padStart(count(options, 'minimumIntegerDigits', 1, 21, 1), '0');
      const grouping = options.useGrouping === undefined ? (notation === 'compact' ? 'min2' : 'auto') : options.useGrouping === true || options.useGrouping === 'true' ? 'always' : options.useGrouping === false || options.useGrouping === 'false' ? 'none' : choice(options, 'useGrouping', ['always', 'auto', 'min2'], 'auto');
      const shown = grouping === 'none' || (notation !== 'standard' && notation !== 'compact') ? whole : grouped(whole, locale, group, grouping === 'min2' ? 2 : grouping === 'always' ? 1 : atLeast);
      text = parts[1] === '' ? shown : `${shown}${point}${parts[1]}`;
    }
    return signed(`${text}${suffix}`, { isNegative, isNumber, style, code, options, locale, isZero: /^[^1-9∞]*$/.test(text) });
  };
  const symbolOf = (code, shown, locale) => {
    if (shown === 'code') return code;
    if (shown === 'narrowSymbol') return narrow[code] ?? code;
    const at = CURRENCIES.indexOf(code);
    if (at >= 0) return figures[locale][6].split(' ')[at];
    if (locale !== 'en-US') throw refuse(`the sign of the currency \`${code}\` in the locale \`${locale}\``);
    return moreCurrencies[code] ?? code;
  };
  const signed = (text, { isNegative, isNumber, style, code, options, locale, isZero }) => {
    const display = choice(options, 'signDisplay', ['auto', 'never', 'always', 'exceptZero', 'negative'], 'auto');
    const [, , , minus, percentage, amount] = figures[locale];
    let sign = isNegative ? minus : '';
    if (display === 'never' || (display === 'negative' && isZero) || (display === 'exceptZero' && (isZero || !isNumber))) sign = '';
    else if ((display === 'always' || display === 'exceptZero') && !isNegative) sign = '+';
    if (style === 'percent') return sign + percentage.replace('#', () => text);
    if (style !== 'currency') return `${sign}${text}`;
    const shown = choice(options, 'currencyDisplay', ['symbol', 'narrowSymbol', 'code', 'name'], 'symbol');
    if (shown === 'name') {
      if (!locale.startsWith('en-') || !(code in currencyNames)) throw refuse(`the name of the currency \`${code}\` in the locale \`${locale}\``);
      return `${sign}${text} ${currencyNames[code][text === '1' ? 0 : 1]}`;
    }
    const symbol = symbolOf(code, shown, locale);
    // Letters keep a distance from the figures.
    const [plus, negative = plus] = amount.split('|'), form = sign === minus ? negative : plus;
    const spaced = /[A-Za-z]$/.test(symbol) && /^\d/.test(text) ? form.replace('$#', () => `$${SPACE}#`) : form;
    const put = (pattern, mark) => pattern.replace(/[-#$]/g, (place) => ({ '-': mark, '#': text, $: symbol })[place]);
    const isAccounting = choice(options, 'currencySign', ['standard', 'accounting'], 'standard') === 'accounting';
    if (isAccounting && sign === minus) {
      if (!locale.startsWith('en-')) throw refuse(`accounting in the locale \`${locale}\``);
      return `(${put(spaced, '')})`;
    }
    return put(spaced, sign);
  };

  const months = ['January', 'February', 'March', 'April', 'May', 'June', 'July', 'August', 'September', 'October', 'November', 'December'];
  const days = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'];
  const two = (value) => `${value}`.padStart(2, '0');
  const numeric = ['numeric', '2-digit'], textual = ['long', 'short', 'narrow'];
  const fieldsOfDate = { weekday: textual, year: numeric, month: [...numeric, ...textual], day: numeric };
  const fieldsOfTime = { hour: numeric, minute: numeric, second: numeric, fractionalSecondDigits: ['1', '2', '3'] };
  const dateOptions = [...Object.keys(fieldsOfDate), ...Object.keys(fieldsOfTime), 'timeZoneName', 'timeZone', 'hour12', 'hourCycle', 'dateStyle', 'timeStyle', 'localeMatcher', 'formatMatcher', 'calendar', 'numberingSystem'];
  const styles = {
    full: { weekday: 'long', year: 'numeric', month: 'long', day: 'numeric' }, long: { year: 'numeric', month: 'long', day: 'numeric' },
    medium: { year: 'numeric', month: 'short', day: 'numeric' }, short: { year: '2-digit', month: 'numeric', day: 'numeric' },
  };
  const timeStyles = {
    full: { hour: 'numeric', minute: '2-digit', second: '2-digit', timeZoneName: 'long' }, long: { hour: 'numeric', minute: '2-digit', second: '2-digit', timeZoneName: 'short' },
    medium: { hour: 'numeric', minute: '2-digit', second: '2-digit' }, short: { hour: 'numeric', minute: '2-digit' },
  };
  const named = (name, form, letters) => (form === 'long' ? name : form === 'short' ? name.slice(0, letters) : name[0]);

  // American and British dates, with names as well.
  const dateText = (when, fields, locale) => {
    const isBritish = locale === 'en-GB', isText = textual.includes(fields.month), isWide = isBritish && fields.month === 'numeric' && fields.day !== '2-digit' && (fields.day || fields.year);
    const year = fields.year && (fields.year === '2-digit' ? two(when.getUTCFullYear() % 100) : `${when.getUTCFullYear()}`);
    const day = fields.day && (fields.day === '2-digit' || isWide ? two(when.getUTCDate()) : `${when.getUTCDate()}`);
    const nameOfMonth = isBritish && fields.month === 'short' && when.getUTCMonth() === 8 ? 'Sept' : isText && named(months[when.getUTCMonth()], fields.month, 3);
    const month = fields.month && (isText ? nameOfMonth : fields.month === '2-digit' || isWide ? two(when.getUTCMonth() + 1) : `${when.getUTCMonth() + 1}`);
    const weekday = fields.weekday && named(days[when.getUTCDay()], fields.weekday, 3);
    if ((!month && day && year) || (weekday && (month || year) && !day)) throw refuse(`a date of ${Object.keys(fields).filter((name) => name in fieldsOfDate).join(' and ')} alone`);
    let text;
    if (isText && !isBritish) text = `${month}${day ? ` ${day}` : ''}${year ? `${day ? ',' : ''} ${year}` : ''}`;
    else if (isText) text = [day, month, year].filter(Boolean).join(' ');
    else text = (isBritish ? [day, month, year] : [month, day, year]).filter(Boolean).join('/');
    if (!weekday) return text;
    if (text === '') return weekday;
    if (!month) return isBritish ? `${weekday} ${text}` : `${text} ${weekday}`;
    return `${weekday}${isBritish && !year ? '' : ','} ${text}`;
  };
  const timeText = (when, fields, locale, options) => {
    const isAmerican = locale === 'en-US';
    let cycle = choice(options, 'hourCycle', ['h11', 'h12', 'h23', 'h24'], isAmerican ? 'h12' : 'h23');
    if (options.hour12 !== undefined) cycle = options.hour12 ? 'h12' : isAmerican ? 'h24' : 'h23';
    const hour = when.getUTCHours(), isHalf = cycle === 'h12' || cycle === 'h11';
    const shown = cycle === 'h12' ? hour % 12 || 12 : cycle === 'h11' ? hour % 12 : cycle === 'h24' ? hour || 24 : hour;
    const parts = [];
    if (fields.hour) parts.push(fields.hour === '2-digit' || !isHalf ? two(shown) : `${shown}`);
    if (fields.minute) parts.push(fields.hour || fields.second ? two(when.getUTCMinutes()) : `${when.getUTCMinutes()}`);
    if (fields.second) parts.push(fields.hour || fields.minute ? two(when.getUTCSeconds()) : `${when.getUTCSeconds()}`);
    let text = parts.join(':');
    if (fields.fractionalSecondDigits) text += `${fields.second ? '.' : ''}${`${when.getUTCMilliseconds()}`.padStart(3, '0').slice(0, Number(fields.fractionalSecondDigits))}`;
    if (fields.hour && isHalf) text += isAmerican ? ` ${hour < 12 ? 'AM' : 'PM'}` : ` ${hour < 12 ? 'am' : 'pm'}`;
    return text;
  };
  // Elsewhere the figures of a whole date and of a time.
  const plainDate = (when, fields, locale, options) => {
    const [datePattern, timePattern, joint] = dates[locale] ?? [], names = Object.keys(fields);
    const hasDate = ['year', 'month', 'day'].every((name) => numeric.includes(fields[name])), hasTime = 'hour' in fields && 'minute' in fields;
    const wanted = (hasDate ? 3 : 0) + (hasTime ? 2 : 0) + (hasTime && 'second' in fields ? 1 : 0);
    if (datePattern === undefined || names.length !== wanted || options.hour12 !== undefined || options.hourCycle !== undefined) throw refuse(`this form of a date in the locale \`${locale}\``);
    const figure = (value, isWide) => (isWide ? two(value) : `${value}`);
    const dateText = datePattern.replace(/d+|m+|y/g, (part) => {
      if (part === 'y') return fields.year === '2-digit' ? two(when.getUTCFullYear() % 100) : `${when.getUTCFullYear()}`;
      return part[0] === 'd' ? figure(when.getUTCDate(), part === 'dd' || fields.day === '2-digit') : figure(when.getUTCMonth() + 1, part === 'mm' || fields.month === '2-digit');
    });
    const hour = when.getUTCHours(), pattern = 'second' in fields ? timePattern : timePattern.replace(/[:.]SS/, '');
    const timeText = pattern.replace(/HH?|h|MM|SS|a\.?m/g, (part) => {
      if (part === 'MM') return two(when.getUTCMinutes());
      if (part === 'SS') return two(when.getUTCSeconds());
      if (part[0] === 'a') return hour < 12 ? part : part.replace('a', 'p');
      return figure(part === 'h' ? hour % 12 || 12 : hour, part === 'HH' || fields.hour === '2-digit');
    });
    return [hasDate ? dateText : '', hasTime ? timeText : ''].filter(Boolean).join(joint);
  };
  const date = (when, locales, settings, kind) => {
    const locale = localeOf(locales), options = settings === undefined ? {} : Object(settings);
    known(options, dateOptions, 'dates');
    if (options.timeZone !== undefined && !['utc', 'gmt', 'etc/utc', 'etc/gmt'].includes(`${options.timeZone}`.toLowerCase())) throw refuse(`the time zone \`${options.timeZone}\``);
    if (options.calendar !== undefined && options.calendar !== 'gregory') throw refuse(`the calendar \`${options.calendar}\``);
    if (options.numberingSystem !== undefined && options.numberingSystem !== 'latn') throw refuse(`the numbering system \`${options.numberingSystem}\``);
    const { dateStyle, timeStyle } = options;
    let fields = {};
    for (const [name, all] of Object.entries({ ...fieldsOfDate, ...fieldsOfTime, timeZoneName: ['short', 'long'] })) {
      const value = choice(options, name, all);
      if (value !== undefined) fields[name] = value;
    }
    if (dateStyle !== undefined || timeStyle !== undefined) {
      if (Object.keys(fields).length > 0) throw new TypeError(`Can't set option ${Object.keys(fields)[0]} when ${dateStyle === undefined ? 'timeStyle' : 'dateStyle'} is used`);
      if ((kind === 'date' && timeStyle !== undefined) || (kind === 'time' && dateStyle !== undefined)) throw new TypeError(`Invalid option : ${kind === 'date' ? 'timeStyle' : 'dateStyle'}`);
      fields = { ...styles[choice(options, 'dateStyle', Object.keys(styles))], ...timeStyles[choice(options, 'timeStyle', Object.keys(styles))] };
      if (locale !== 'en-US' && dateStyle === 'short') Object.assign(fields, { year: 'numeric', month: '2-digit', day: '2-digit' });
      if (locale !== 'en-US' && locale !== 'en-GB') throw refuse(`the styles of dates in the locale \`${locale}\``);
    } else {
      const has = (names) => Object.keys(names).some((name) => name in fields);
      const needs = kind === 'date' ? !has(fieldsOfDate) : kind === 'time' ? !has(fieldsOfTime) : !has(fieldsOfDate) && !has(fieldsOfTime);
      if (needs && kind !== 'time') Object.assign(fields, { year: 'numeric', month: 'numeric', day: 'numeric' });
      if (needs && kind !== 'date' && kind !== 'format') Object.assign(fields, { hour: 'numeric', minute: 'numeric', second: 'numeric' });
    }
    if (Number.isNaN(when.getTime())) return 'Invalid Date';
    if (locale !== 'en-US' && locale !== 'en-GB') return plainDate(when, fields, locale, options);
    const parts = [];
    if (Object.keys(fieldsOfDate).some((name) => name in fields)) parts.push(dateText(when, fields, locale));
    if (Object.keys(fieldsOfTime).some((name) => name in fields)) parts.push(timeText(when, fields, locale, options));
    const isWeekdayAlone = fields.weekday && !fields.day && !fields.month && !fields.year;
    const joint = fields.month === 'long' && (dateStyle === undefined || dateStyle === 'full' || dateStyle === 'long') ? ' at ' : isWeekdayAlone ? ' ' : ', ';
    const zone = fields.timeZoneName === undefined ? '' : `${parts.length > 0 && !('hour' in fields) ? ', ' : ' '}${fields.timeZoneName === 'long' ? 'Coordinated Universal Time' : 'UTC'}`;
    return parts.join(joint) + zone;
  };
  // The parts of `Intl` that rest on the same tables. Each checks its options when it is made.
  class NumberFormat {
    #locales; #options;
    constructor(locales, options) { this.#locales = localeOf(locales); this.#options = { ...options }; number(0, this.#locales, this.#options); }
    get format() { return (value) => number(typeof value === 'bigint' ? value : Number(value), this.#locales, this.#options); }
    resolvedOptions() { return { locale: this.#locales, numberingSystem: 'latn', style: 'decimal', notation: 'standard', ...this.#options }; }
  }
  class DateTimeFormat {
    #locales; #options;
    constructor(locales, options) { this.#locales = localeOf(locales); this.#options = { ...options }; date(new Date(0), this.#locales, this.#options, 'format'); }
    get format() {
      return (value) => {
        const when = value === undefined ? new Date() : new Date(value);
        if (Number.isNaN(when.getTime())) throw new RangeError('Invalid time value');
        return date(when, this.#locales, this.#options, 'format');
      };
    }
    resolvedOptions() { return { locale: this.#locales, calendar: 'gregory', numberingSystem: 'latn', ...this.#options, timeZone: 'UTC' }; }
  }
  const needEnglish = (locales, what) => {
    const locale = localeOf(locales);
    if (!locale.startsWith('en-')) throw refuse(`${what} of the locale \`${locale}\``);
    return locale;
  };
  class PluralRules {
    #locale; #isOrdinal;
    constructor(locales, options = {}) {
      this.#locale = needEnglish(locales, 'the plural');
      known(options, ['type', 'localeMatcher'], 'plurals');
      this.#isOrdinal = choice(options, 'type', ['cardinal', 'ordinal'], 'cardinal') === 'ordinal';
    }
    select(value) {
      const count = Math.abs(Number(value));
      if (!this.#isOrdinal) return count === 1 ? 'one' : 'other';
      const last = count % 10, isTeen = Math.floor(count / 10) % 10 === 1;
      return isTeen ? 'other' : { 1: 'one', 2: 'two', 3: 'few' }[last] ?? 'other';
    }
    resolvedOptions() { return { locale: this.#locale, type: this.#isOrdinal ? 'ordinal' : 'cardinal' }; }
  }
  class ListFormat {
    #locale; #type; #style;
    constructor(locales, options = {}) {
      this.#locale = needEnglish(locales, 'the list');
      known(options, ['type', 'style', 'localeMatcher'], 'lists');
      this.#type = choice(options, 'type', ['conjunction', 'disjunction', 'unit'], 'conjunction');
      this.#style = choice(options, 'style', ['long', 'short', 'narrow'], 'long');
      if (this.#type === 'unit' || this.#style !== 'long') throw refuse('this form of a list');
    }
    format(list) {
      const items = Array.from(list), word = this.#type === 'conjunction' ? 'and' : 'or';
      for (const item of items) if (typeof item !== 'string') throw new TypeError('Iterable yielded a value that is not a string');
      if (items.length < 3) return items.join(` ${word} `);
      return `${items.slice(0, -1).join(', ')}${this.#locale === 'en-US' ? ',' : ''} ${word} ${items.at(-1)}`;
    }
    resolvedOptions() { return { locale: this.#locale, type: this.#type, style: this.#style }; }
  }
  const units = ['second', 'minute', 'hour', 'day', 'week', 'month', 'quarter', 'year'];
  const shortUnits = { second: 'sec.', minute: 'min.', hour: 'hr.', day: 'day', week: 'wk.', month: 'mo.', quarter: 'qtr.', year: 'yr.' };
  const narrowUnits = { second: 's', minute: 'm', hour: 'h', day: 'd', week: 'w', month: 'mo', quarter: 'q', year: 'y' };
  class RelativeTimeFormat {
    #locale; #style; #numeric;
    constructor(locales, options = {}) {
      this.#locale = needEnglish(locales, 'the relative time');
      known(options, ['style', 'numeric', 'localeMatcher'], 'relative times');
      this.#style = choice(options, 'style', ['long', 'short', 'narrow'], 'long');
      this.#numeric = choice(options, 'numeric', ['always', 'auto'], 'always');
    }
    #name(unit, isOne) {
      if (this.#style === 'long') return ` ${unit}${isOne ? '' : 's'}`;
      if (this.#style === 'narrow') return narrowUnits[unit];
      return ` ${unit === 'day' || unit === 'quarter' ? (isOne ? shortUnits[unit] : { day: 'days', quarter: 'qtrs.' }[unit]) : shortUnits[unit]}`;
    }
    format(value, unit) {
      value = Number(value);
      unit = `${unit}`.replace(/s$/, '');
      if (!Number.isFinite(value)) throw new RangeError('Value need to be finite number for Intl.RelativeTimeFormat.prototype.format()');
      if (!units.includes(unit)) throw new RangeError(`Invalid unit argument for format() '${unit}'`);
      const isPast = value < 0 || Object.is(value, -0);
      if (this.#numeric === 'auto' && (value === 0 || Math.abs(value) === 1)) {
        if (unit === 'second' && value === 0) return 'now';
        if (unit === 'day') return value === 0 ? 'today' : isPast ? 'yesterday' : 'tomorrow';
        if (unit === 'minute' || unit === 'hour' ? value === 0 : unit !== 'second') {
          const word = this.#style === 'long' || unit === 'minute' || unit === 'hour' ? unit : shortUnits[unit];
          return `${value === 0 ? 'this' : isPast ? 'last' : 'next'} ${word}`;
        }
      }
      const count = Math.abs(value), text = `${number(count, this.#locale, {})}${this.#name(unit, count === 1)}`;
      return isPast ? `${text} ago` : `in ${text}`;
    }
    resolvedOptions() { return { locale: this.#locale, style: this.#style, numeric: this.#numeric, numberingSystem: 'latn' }; }
  }
  const callable = (Class) => {
    Object.defineProperty(Class.prototype, Symbol.toStringTag, { value: `Intl.${Class.name}`, configurable: true });
    Class.supportedLocalesOf = (locales) => [].concat(locales ?? []).filter((locale) => { try { return localeOf(locale) !== undefined; } catch { return false; } });
    return new Proxy(Class, { apply: (target, self, values) => new Class(...values) });
  };
  const Intl = { NumberFormat: callable(NumberFormat), DateTimeFormat: callable(DateTimeFormat), PluralRules: callable(PluralRules), ListFormat: callable(ListFormat), RelativeTimeFormat: callable(RelativeTimeFormat) };
  Object.defineProperty(Intl, 'Collator', { get: () => { const { Collator } = internal.lazy('collate'); return callable(Collator); }, enumerable: true, configurable: true });
  Object.defineProperty(Intl, 'Segmenter', { get: () => {
    const { Segmenter } = internal.lazy('segmenter');
    Object.defineProperty(Segmenter.prototype, Symbol.toStringTag, { value: 'Intl.Segmenter', configurable: true });
    Segmenter.supportedLocalesOf = NumberFormat.supportedLocalesOf;
    return Segmenter;
  }, enumerable: true, configurable: true });
  // Language, script and region as they are usually written.
  const canonical = (locale) => {
    if (typeof locale !== 'string' && (typeof locale !== 'object' || locale === null)) throw new TypeError('Incorrect locale information provided');
    const [language, ...parts] = `${locale}`.split('-');
    if (!/^([a-z]{2,3}|[a-z]{5,8})$/i.test(language) || !parts.every((part) => /^[a-z0-9]{1,8}$/i.test(part))) throw new RangeError(`Incorrect locale information provided`);
    const shaped = (part) => (/^[a-z]{4}$/i.test(part) ? part[0].toUpperCase() + part.slice(1).toLowerCase() : /^[a-z]{2}$/i.test(part) ? part.toUpperCase() : part.toLowerCase());
    return [language.toLowerCase(), ...parts.map(shaped)].join('-');
  };
  Intl.getCanonicalLocales = (locales) => [...new Set([].concat(locales ?? []).map(canonical))];
  for (const name of Object.keys(Intl)) Object.defineProperty(Intl, name, { enumerable: false });
  Object.defineProperty(Intl, Symbol.toStringTag, { value: 'Intl', configurable: true });
  return { number, date, Intl };
}
