//! `toLocaleString` of numbers and dates: how does a locale write them?
//!
//! English is there as a whole, of other languages their figures and numeric dates. What is not there is a `RangeError`, never left out.
(native, internal) => {
  const NARROW = '\u202f', SPACE = '\u00a0';
  const refuse = (what) => new RangeError(`${what} is not in the sandbox`);
  // Group and decimal sign, digits that a number must have before it is grouped beyond four, sign and place of a currency.
  const figures = {
    en: [',', '.'], ja: [',', '.'], zh: [',', '.'], ko: [',', '.'], th: [',', '.'], he: [',', '.'],
    de: ['.', ',', 1, true], it: ['.', ',', 1, true], nl: ['.', ',', 1], id: ['.', ',', 1], tr: ['.', ',', 1], da: ['.', ',', 1, true], es: ['.', ',', 2, true], pt: ['.', ',', 1],
    fr: [NARROW, ',', 1, true], sv: [SPACE, ',', 1, true], nb: [SPACE, ',', 1, true], no: [SPACE, ',', 1, true], fi: [SPACE, ',', 1, true], cs: [SPACE, ',', 1, true], ru: [SPACE, ',', 1, true], uk: [SPACE, ',', 1, true], pl: [SPACE, ',', 2, true],
  };
  // Order and sign of a numeric date, and whether day and month have two digits.
  const dates = {
    'en-US': ['mdy', '/', false], 'en-GB': ['dmy', '/', true], 'en-AU': ['dmy', '/', true], 'en-NZ': ['dmy', '/', true], 'en-IE': ['dmy', '/', false], 'en-IN': ['dmy', '/', false], 'en-CA': ['ymd', '-', true],
    de: ['dmy', '.', false], fr: ['dmy', '/', true], es: ['dmy', '/', false], it: ['dmy', '/', false], nl: ['dmy', '-', false], pt: ['dmy', '/', true], sv: ['ymd', '-', true],
    ja: ['ymd', '/', false], zh: ['ymd', '/', false], ru: ['dmy', '.', true], pl: ['dmy', '.', true], da: ['dmy', '.', false], nb: ['dmy', '.', false], fi: ['dmy', '.', false], tr: ['dmy', '.', true],
  };

  const localeOf = (locales) => {
    const [first] = Array.isArray(locales) ? locales : [locales];
    if (first === undefined) return 'en-US';
    if (typeof first !== 'string' && typeof first !== 'object') throw new TypeError('Incorrect locale information provided');
    const tag = `${first}`;
    if (!/^[A-Za-z]{2,8}([-_][A-Za-z0-9]{1,8})*$/.test(tag) || tag.includes('_')) throw new RangeError(`Incorrect locale information provided`);
    if (tag.includes('-u-')) throw refuse(`the locale extension of \`${tag}\``);
    const [language, ...parts] = tag.split('-');
    const region = parts.find((part) => /^[A-Za-z]{2}$/.test(part))?.toUpperCase();
    const name = language.toLowerCase() === 'en' && region === undefined ? 'en-US' : `${language.toLowerCase()}${region ? `-${region}` : ''}`;
    if (!(name.split('-')[0] in figures)) throw refuse(`the locale \`${tag}\``);
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
    return locale === 'en-IN' || locale.startsWith('hi') ? whole.replace(/\B(?=(?:\d{2})*\d{3}$)/g, sign) : whole.replace(/\B(?=(?:\d{3})+$)/g, sign);
  };

  const currencies = { USD: '$', EUR: '€', GBP: '£', JPY: '¥', INR: '₹', CNY: 'CN¥', KRW: '₩', BRL: 'R$', CAD: 'CA$', AUD: 'A$', MXN: 'MX$', NZD: 'NZ$', ILS: '₪', VND: '₫', TWD: 'NT$', HKD: 'HK$', XAF: 'FCFA', PHP: '₱' };
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
    const locale = localeOf(locales), language = locale.split('-')[0], options = settings === undefined ? {} : Object(settings);
    known(options, numberOptions, 'numbers');
    const style = choice(options, 'style', ['decimal', 'percent', 'currency'], 'decimal');
    if (options.roundingMode !== undefined && options.roundingMode !== 'halfExpand') throw refuse(`the rounding mode \`${options.roundingMode}\``);
    if (options.numberingSystem !== undefined && options.numberingSystem !== 'latn') throw refuse(`the numbering system \`${options.numberingSystem}\``);
    const code = options.currency === undefined ? undefined : `${options.currency}`.toUpperCase();
    if (style === 'currency' && code === undefined) throw new TypeError('Currency code is required with currency style.');
    if (code !== undefined && !/^[A-Z]{3}$/.test(code)) throw new RangeError(`Invalid currency code : ${options.currency}`);
    const notation = choice(options, 'notation', ['standard', 'compact', 'scientific', 'engineering'], 'standard');
    if (notation === 'compact' && language !== 'en') throw refuse(`the compact notation of \`${locale}\``);
    const money = code !== undefined && withoutFraction.includes(code) ? 0 : 2;
    const [least, most] = style === 'currency' && notation !== 'compact' ? [money, money] : style === 'percent' || notation === 'compact' ? [0, 0] : [0, 3];
    const digits = digitsOf(options, least, most);
    const [group, point, atLeast = 1, isBehind = false] = locale === 'de-CH' ? ['’', '.', 1, false] : locale === 'pt-PT' ? [SPACE, ',', 2, true] : locale === 'de-AT' ? [SPACE, ',', 1, false] : figures[language];
    const isNumber = typeof value === 'bigint' || !Number.isNaN(value);
    const isInfinite = value === Infinity || value === -Infinity;
    let isNegative = value < 0 || Object.is(value, -0), suffix = '', text;
    if (!isNumber) { text = 'NaN'; isNegative = false; } else if (isInfinite) text = '∞';
    else {
      let decimal = decimalOf(value);
      if (style === 'percent') decimal.point += 2;
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
        suffix = compactTexts[at][choice(options, 'compactDisplay', ['short', 'long'], 'short') === 'long' ? 1 : 0];
      } else if (notation !== 'standard' && !/^0*$/.test(decimal.digits)) {
        const step = notation === 'engineering' ? 3 : 1;
        let exponent = Math.floor((decimal.point - 1) / step) * step;
        parts = rounded({ digits: decimal.digits, point: decimal.point - exponent }, digits);
        if (parts[0].length > step) { exponent += step; parts = rounded({ digits: decimal.digits, point: decimal.point - exponent }, digits); }
        suffix = `E${exponent}`;
      } else { parts = rounded(decimal, digits); if (notation !== 'standard') suffix = 'E0'; }
      const whole = parts[0].padStart(count(options, 'minimumIntegerDigits', 1, 21, 1), '0');
      const grouping = options.useGrouping === undefined || options.useGrouping === true || options.useGrouping === 'true' ? (notation === 'compact' ? 'min2' : 'auto') : options.useGrouping === false || options.useGrouping === 'false' ? 'none' : choice(options, 'useGrouping', ['always', 'auto', 'min2'], 'auto');
      const shown = grouping === 'none' || (notation !== 'standard' && notation !== 'compact') ? whole : grouped(whole, locale, group, grouping === 'min2' ? 2 : grouping === 'always' ? 1 : atLeast);
      text = parts[1] === '' ? shown : `${shown}${point}${parts[1]}`;
    }
    return signed(`${text}${suffix}`, { isNegative, isNumber, style, code, options, language, isBehind, isZero: /^[^1-9∞N]*$/.test(text) });
  };
  const signed = (text, { isNegative, isNumber, style, code, options, language, isBehind, isZero }) => {
    const display = choice(options, 'signDisplay', ['auto', 'never', 'always', 'exceptZero', 'negative'], 'auto');
    let sign = isNegative ? '-' : '';
    if (display === 'never' || (display === 'negative' && isZero) || (display === 'exceptZero' && (isZero || !isNumber))) sign = '';
    else if ((display === 'always' || display === 'exceptZero') && !isNegative) sign = '+';
    if (style === 'percent') return `${sign}${text}${isBehind ? SPACE : ''}%`;
    if (style !== 'currency') return `${sign}${text}`;
    const shown = choice(options, 'currencyDisplay', ['symbol', 'narrowSymbol', 'code', 'name'], 'symbol');
    if (shown === 'name') {
      if (language !== 'en' || !(code in currencyNames)) throw refuse(`the name of the currency \`${code}\``);
      return `${sign}${text} ${currencyNames[code][text === '1' || text === '1.00' ? 0 : 1]}`;
    }
    let symbol = shown === 'code' ? code : currencies[code] ?? code;
    if (shown === 'narrowSymbol') symbol = symbol.replace(/^(?:[A-Z]{2}|[A-Z])(?=[$¥])/, (part) => (symbol === 'R$' ? part : ''));
    const gap = /[A-Za-z]$/.test(symbol) ? SPACE : '';
    const isAccounting = choice(options, 'currencySign', ['standard', 'accounting'], 'standard') === 'accounting';
    if (isBehind) return `${sign}${text}${SPACE}${symbol}`;
    const spaced = ['nl', 'pt'].includes(language) ? SPACE : gap;
    if (isAccounting && sign === '-') return `(${symbol}${spaced}${text})`;
    return `${sign}${symbol}${spaced}${text}`;
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

  const dateText = (when, fields, locale) => {
    const language = locale.split('-')[0], isText = textual.includes(fields.month);
    const [order, sign, hasTwo] = dates[locale] ?? dates[language] ?? dates[`${language}-US`] ?? [];
    if (order === undefined) throw refuse(`the dates of the locale \`${locale}\``);
    if (language !== 'en' && (isText || fields.weekday)) throw refuse(`the months and days of the locale \`${locale}\``);
    const year = fields.year && (fields.year === '2-digit' ? two(when.getUTCFullYear() % 100) : `${when.getUTCFullYear()}`);
    const isWide = hasTwo && fields.year && fields.month && fields.day && !isText;
    const day = fields.day && (fields.day === '2-digit' || isWide ? two(when.getUTCDate()) : `${when.getUTCDate()}`);
    const month = fields.month && (isText ? named(months[when.getUTCMonth()], fields.month, 3) : fields.month === '2-digit' || isWide ? two(when.getUTCMonth() + 1) : `${when.getUTCMonth() + 1}`);
    const weekday = fields.weekday && named(days[when.getUTCDay()], fields.weekday, 3);
    let text;
    if (isText && order === 'mdy') text = `${month}${day ? ` ${day}` : ''}${year ? `${day ? ',' : ''} ${year}` : ''}`;
    else if (isText) text = [day, month, year].filter(Boolean).join(' ');
    else text = [...order].map((letter) => ({ d: day, m: month, y: year })[letter]).filter(Boolean).join(sign);
    if (!weekday) return text;
    if (text === '') return weekday;
    if (!month && day && !year) return `${day} ${weekday}`;
    return `${weekday}${order === 'mdy' || fields.weekday !== 'long' || !isText ? ',' : ''} ${text}`;
  };
  const timeText = (when, fields, locale, options) => {
    const isAmerican = ['en-US', 'en-CA', 'en-AU', 'en-NZ', 'en-IN'].includes(locale);
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
    if (fields.hour && isHalf) text += locale === 'en-US' || locale === 'en-IN' ? `${NARROW}${hour < 12 ? 'AM' : 'PM'}` : ` ${hour < 12 ? 'am' : 'pm'}`;
    return text;
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
      if (locale === 'en-GB' && dateStyle === 'short') Object.assign(fields, { year: 'numeric' });
    } else {
      const has = (names) => Object.keys(names).some((name) => name in fields);
      const needs = kind === 'date' ? !has(fieldsOfDate) : kind === 'time' ? !has(fieldsOfTime) : !has(fieldsOfDate) && !has(fieldsOfTime);
      if (needs && kind !== 'time') Object.assign(fields, { year: 'numeric', month: 'numeric', day: 'numeric' });
      if (needs && kind !== 'date') Object.assign(fields, { hour: 'numeric', minute: 'numeric', second: 'numeric' });
    }
    if (Number.isNaN(when.getTime())) return 'Invalid Date';
    const parts = [];
    if (Object.keys(fieldsOfDate).some((name) => name in fields)) parts.push(dateText(when, fields, locale));
    if (Object.keys(fieldsOfTime).some((name) => name in fields)) parts.push(timeText(when, fields, locale, options));
    const joint = fields.month === 'long' && (dateStyle === undefined || dateStyle === 'full' || dateStyle === 'long') && locale.startsWith('en') ? ' at ' : locale.startsWith('en') || ['de', 'es', 'it', 'nl', 'pt', 'ru', 'pl'].includes(locale.split('-')[0]) ? ', ' : ' ';
    const zone = fields.timeZoneName === undefined ? '' : `${parts.length > 0 && !('hour' in fields) ? ', ' : ' '}${fields.timeZoneName === 'long' ? 'Coordinated Universal Time' : 'UTC'}`;
    return parts.join(joint) + zone;
  };
  return { number, date };
}
