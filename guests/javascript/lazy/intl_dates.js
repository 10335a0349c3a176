//! `Intl.DateTimeFormat`: which fields does a request have, and how is a time written with a pattern?
(native, internal) => {
  const intl = internal.lazy('intl');
  const { choice, count, identifier, optionsOf, resolve, constructor, refuse } = intl;
  const { generator, parse, skeletonOf } = internal.lazy('intl_patterns');
  const zones = internal.lazy('intl_zones');
  const NAME = 'Intl.DateTimeFormat';
  const Slots = intl.makeSlots('DateTimeFormat');
  const STYLES = ['full', 'long', 'medium', 'short'];
  const dateFields = ['weekday', 'year', 'month', 'day'], timeFields = ['dayPeriod', 'hour', 'minute', 'second', 'fractionalSecondDigits'];
  const NARROW = ['narrow', 'short', 'long'], NUMBER = ['2-digit', 'numeric'];
  const widths = (letter) => ({ short: letter, long: letter.repeat(4), narrow: letter.repeat(5) });
  const cycles = { h11: 'K', h12: 'h', h23: 'H', h24: 'k' };

  const parts = new Map();
  const dataOf = (locale) => {
    if (!parts.has(locale)) {
      const data = native.localeData(`dates/${locale}`);
      parts.set(locale, { ...data, generator: generator(data, data.decimal) });
    }
    return parts.get(locale);
  };
  // The hours as a pattern has them, by the cycle that was asked for.
  const withCycle = (pattern, cycle) => {
    let isQuoted = false, text = '';
    for (const letter of pattern) {
      if (letter === "'") isQuoted = !isQuoted;
      text += !isQuoted && /[hHkK]/.test(letter) ? cycles[cycle] : letter;
    }
    return text;
  };
  const cycleOf = (pattern) => {
    const part = parse(pattern).find(({ letter }) => 'hHkK'.includes(letter ?? '-'));
    return part && Object.keys(cycles).find((name) => cycles[name] === part.letter);
  };

  const readFields = (options) => {
    const fields = {};
    const take = (name, choices) => { const value = choice(options, name, choices, undefined, NAME); if (value !== undefined) fields[name] = value; };
    for (const name of ['weekday', 'era']) take(name, NARROW);
    take('year', NUMBER);
    take('month', [...NUMBER, ...NARROW]);
    take('day', NUMBER);
    take('dayPeriod', NARROW);
    for (const name of ['hour', 'minute', 'second']) take(name, NUMBER);
    const digits = count(options, 'fractionalSecondDigits', 1, 3);
    if (digits !== undefined) fields.fractionalSecondDigits = digits;
    take('timeZoneName', ['short', 'long', 'shortOffset', 'longOffset', 'shortGeneric', 'longGeneric']);
    return fields;
  };
  const skeletonOfFields = (fields, cycle) => {
    const number = (name, letter) => (fields[name] === undefined ? '' : fields[name] === '2-digit' ? letter + letter : letter);
    const month = { numeric: 'M', '2-digit': 'MM', short: 'MMM', long: 'MMMM', narrow: 'MMMMM' };
    const zone = { short: 'z', long: 'zzzz', shortOffset: 'O', longOffset: 'OOOO', shortGeneric: 'v', longGeneric: 'vvvv' };
    return [
      fields.weekday ? { ...widths('E'), short: 'EEE' }[fields.weekday] : '', fields.era ? widths('G')[fields.era] : '', number('year', 'y'), month[fields.month] ?? '', number('day', 'd'),
      fields.dayPeriod ? widths('B')[fields.dayPeriod] : '', number('hour', cycles[cycle]), number('minute', 'm'), number('second', 's'),
      'S'.repeat(fields.fractionalSecondDigits ?? 0), zone[fields.timeZoneName] ?? '',
    ].join('');
  };
  // Read back from the pattern, as ECMA-402 wants it.
  const shownFields = (pattern) => {
    const shown = {};
    const number = ({ length }) => (length === 2 ? '2-digit' : 'numeric');
    const width = ({ length }) => ({ 4: 'long', 5: 'narrow' })[length] ?? 'short';
    for (const part of parse(pattern)) {
      if (typeof part === 'string') continue;
      const { letter, length } = part;
      if ('Ece'.includes(letter)) shown.weekday = width(part);
      else if (letter === 'G') shown.era = width(part);
      else if ('yu'.includes(letter)) shown.year = number(part);
      else if ('ML'.includes(letter)) shown.month = length < 3 ? number(part) : width(part);
      else if (letter === 'd') shown.day = number(part);
      else if (letter === 'B') shown.dayPeriod = width(part);
      else if ('hHkK'.includes(letter)) shown.hour = number(part);
      else if (letter === 'm') shown.minute = number(part);
      else if (letter === 's') shown.second = number(part);
      else if (letter === 'S') shown.fractionalSecondDigits = length;
      else if ('zOv'.includes(letter)) shown.timeZoneName = { z: ['short', 'long'], O: ['shortOffset', 'longOffset'], v: ['shortGeneric', 'longGeneric'] }[letter][length < 4 ? 0 : 1];
    }
    return shown;
  };

  const requireDefaults = (fields, required, defaults) => {
    const has = (names) => names.some((name) => fields[name] !== undefined);
    const needs = required === 'date' ? !has(dateFields) : required === 'time' ? !has(timeFields) : !has(dateFields) && !has(timeFields);
    if (!needs) return;
    if (defaults !== 'time') Object.assign(fields, { year: 'numeric', month: 'numeric', day: 'numeric' });
    if (defaults !== 'date') Object.assign(fields, { hour: 'numeric', minute: 'numeric', second: 'numeric' });
  };
  const stylePattern = (data, dateStyle, timeStyle, cycle, isGiven) => {
    const date = dateStyle && data.date[dateStyle], time = timeStyle && data.time[timeStyle];
    const pattern = date && time ? data.generator.substitute(data.at[dateStyle] ?? data.joint[dateStyle], [time, date]) : date ?? time;
    if (!time || !isGiven || cycleOf(pattern) === cycle) return pattern;
    return withCycle(data.generator.pattern(withCycle(skeletonOf(pattern), cycle)), cycle);
  };
  const make = (locales, settings, required = 'any', defaults = 'date') => {
    const { locale, data: name, keywords } = resolve(locales, ['ca', 'hc', 'nu']), options = optionsOf(settings);
    choice(options, 'localeMatcher', ['lookup', 'best fit'], 'best fit', NAME);
    const calendar = identifier(options, 'calendar') ?? keywords.ca ?? 'gregory';
    const numberingSystem = identifier(options, 'numberingSystem') ?? keywords.nu;
    if (calendar !== 'gregory' && calendar !== 'iso8601') throw refuse(`the calendar \`${calendar}\``);
    const hour12 = options.hour12 === undefined ? undefined : Boolean(options.hour12);
    const hourCycle = choice(options, 'hourCycle', Object.keys(cycles), undefined, NAME);
    const timeZone = options.timeZone === undefined ? zones.local() : zones.named(`${options.timeZone}`);
    const fields = readFields(options);
    choice(options, 'formatMatcher', ['basic', 'best fit'], 'best fit', NAME);
    const dateStyle = choice(options, 'dateStyle', STYLES, undefined, NAME), timeStyle = choice(options, 'timeStyle', STYLES, undefined, NAME);
    const data = dataOf(name), standard = { h: 'h12', H: 'h23', K: 'h11', k: 'h24' }[data.hour];
    const cycle = hour12 === undefined ? hourCycle ?? (keywords.hc in cycles ? keywords.hc : undefined) ?? standard : hour12 ? (standard === 'h11' || (standard === 'h23' && name === 'ja') ? 'h11' : 'h12') : 'h23';
    let pattern;
    if (dateStyle !== undefined || timeStyle !== undefined) {
      const [other] = Object.keys(fields);
      if (other !== undefined) throw new TypeError(required === 'any' && defaults === 'date' ? `Can't set option ${other} when ${dateStyle === undefined ? 'timeStyle' : 'dateStyle'} is used` : 'Invalid option : option');
      if ((required === 'date' && timeStyle !== undefined) || (required === 'time' && dateStyle !== undefined)) throw new TypeError(`Invalid option : ${required === 'date' ? 'timeStyle' : 'dateStyle'}`);
      pattern = stylePattern(data, dateStyle, timeStyle, cycle, true);
    } else {
      requireDefaults(fields, required, defaults);
      pattern = withCycle(data.generator.pattern(skeletonOfFields(fields, cycle)), cycle);
    }
    let numbers = 'latn', digits;
    if ((numberingSystem ?? data.numberingSystem) !== 'latn') {
      const { inner } = internal.lazy('intl_numbers').make(name, { useGrouping: false, numberingSystem });
      numbers = inner.resolvedOptions().numberingSystem;
      if (numbers !== 'latn') digits = Array.from({ length: 10 }, (_, i) => inner.format(i));
    }
    const isCycle = keywords.hc in cycles && hour12 === undefined && (hourCycle ?? keywords.hc) === keywords.hc;
    const extension = [keywords.ca === calendar ? `-ca-${calendar}` : '', isCycle ? `-hc-${keywords.hc}` : '', keywords.nu === numbers ? `-nu-${numbers}` : ''].join('');
    return { locale: extension ? `${locale}-u${extension}` : locale, name, data, calendar, numbers, digits, timeZone, pattern, parsed: parse(pattern), dateStyle, timeStyle };
  };

  // A time as its fields in a zone.
  const localFields = (time, timeZone) => {
    const { offset, isDst } = zones.offsetAt(timeZone, time), local = time + offset * 1000;
    const days = Math.floor(local / 86400000), milliseconds = local - days * 86400000;
    const when = new Date(days * 86400000);
    return {
      time, offset, isDst, year: when.getUTCFullYear(), month: when.getUTCMonth(), day: when.getUTCDate(), weekday: when.getUTCDay(),
      hour: Math.floor(milliseconds / 3600000), minute: Math.floor(milliseconds / 60000) % 60, second: Math.floor(milliseconds / 1000) % 60, millisecond: Math.floor(milliseconds) % 1000,
    };
  };
  const names = { 3: 'short', 4: 'long', 5: 'narrow' };
  const nameOf = (group, context, length) => group[context][names[Math.max(length, 3)] ?? 'short'];
  const periodOf = (data, fields, length) => {
    const list = data.periods[names[Math.max(length, 3)]], minute = fields.hour * 60 + fields.minute;
    const rule = data.rules.find(([, at, before]) => before === undefined && at === minute && fields.second === 0) ?? data.rules.find(([, from, before]) => before !== undefined && (from < before ? minute >= from && minute < before : minute >= from || minute < before));
    return list[rule?.[0]] ?? list[fields.hour < 12 ? 'am' : 'pm'];
  };
  const write = (part, fields, own) => {
    const { data } = own, { letter, length } = part;
    const number = (value, width = length) => {
      const text = `${value}`.padStart(width, '0');
      return own.digits === undefined ? text : [...text].map((digit) => own.digits[digit] ?? digit).join('');
    };
    const { year } = fields, ofEra = year > 0 ? year : 1 - year;
    switch (letter) {
      case 'G': return ['era', data.eras[length === 4 ? 'long' : length === 5 ? 'narrow' : 'short'][year > 0 ? 1 : 0]];
      case 'y': return ['year', length === 2 ? number(ofEra % 100) : number(ofEra)];
      case 'u': return ['year', number(year)];
      case 'M': case 'L': return ['month', length < 3 ? number(fields.month + 1) : nameOf(data.months, letter === 'L' ? 'alone' : 'format', length)[fields.month]];
      case 'd': return ['day', number(fields.day)];
      case 'E': case 'e': return ['weekday', nameOf(data.days, 'format', length)[fields.weekday]];
      case 'c': return ['weekday', nameOf(data.days, 'alone', length)[fields.weekday]];
      case 'a': case 'b': return ['dayPeriod', data.periods[length === 5 ? 'narrow' : 'short'][fields.hour < 12 ? 'am' : 'pm']];
      case 'B': return ['dayPeriod', periodOf(data, fields, length)];
      case 'H': return ['hour', number(fields.hour)];
      case 'k': return ['hour', number(fields.hour || 24)];
      case 'h': return ['hour', number(fields.hour % 12 || 12)];
      case 'K': return ['hour', number(fields.hour % 12)];
      case 'm': return ['minute', number(fields.minute)];
      case 's': return ['second', number(fields.second)];
      case 'S': return ['fractionalSecond', number(Math.floor(fields.millisecond / 10 ** (3 - Math.min(length, 3))), length)];
      default: return ['timeZoneName', zones.name(own.name, own.timeZone, fields, letter, length)];
    }
  };
  // In a whole text V8 has a plain space where CLDR has a narrow one that does not break; in parts and ranges it has that of CLDR.
  const spaced = (text) => text.replaceAll('\u202f', ' ');
  const writeParts = (parsed, fields, own) => {
    const list = [];
    for (const part of parsed) {
      const [type, value] = typeof part === 'string' ? ['literal', part] : write(part, fields, own);
      if (type === 'literal' && list.at(-1)?.type === 'literal') list.at(-1).value += value;
      else list.push({ type, value });
    }
    return list;
  };
  const textOf = (list) => { let text = ''; for (const { value } of list) text += value; return text; };
  const timeOf = (value) => {
    const time = value === undefined ? Date.now() : Number(value);
    if (!(Math.abs(time) <= 8.64e15)) throw new RangeError('Invalid time value');
    return Math.trunc(time);
  };
  const format = (own, value) => { const time = timeOf(value); return spaced(textOf(writeParts(own.parsed, localFields(time, own.timeZone), own))); };

  const ranged = (object, start, end, method) => {
    const own = Slots.get(object, method);
    if (start === undefined || end === undefined) throw new TypeError('Invalid time value');
    return internal.lazy('intl_ranges').parts(own, localFields(timeOf(start), own.timeZone), localFields(timeOf(end), own.timeZone), { dataOf, writeParts });
  };
  const DateTimeFormat = constructor('DateTimeFormat', function (locales, options) {
    if (new.target === undefined) return new DateTimeFormat(locales, options);
    new Slots(this, { ...internal.lazy('locale').keeping('format', locales, options, () => make(locales, options)) });
  }, {
    get format() {
      const own = Slots.get(this, 'format');
      if (own.bound === undefined) {
        own.bound = (date) => format(own, date);
        Object.defineProperty(own.bound, 'name', { value: '', configurable: true });
      }
      return own.bound;
    },
    formatToParts(date) { const own = Slots.get(this, 'formatToParts'); return writeParts(own.parsed, localFields(timeOf(date), own.timeZone), own); },
    formatRange(start, end) { return textOf(ranged(this, start, end, 'formatRange')); },
    formatRangeToParts(start, end) { return ranged(this, start, end, 'formatRangeToParts'); },
    resolvedOptions() {
      const own = Slots.get(this, 'resolvedOptions'), shown = shownFields(own.pattern), cycle = cycleOf(own.pattern);
      const { dateStyle, timeStyle } = own, result = { locale: own.locale, calendar: own.calendar, numberingSystem: own.numbers, timeZone: own.timeZone.shown };
      if (cycle !== undefined) Object.assign(result, { hourCycle: cycle, hour12: cycle === 'h11' || cycle === 'h12' });
      if (dateStyle === undefined && timeStyle === undefined) for (const name of ['weekday', 'era', 'year', 'month', 'day', 'dayPeriod', 'hour', 'minute', 'second', 'fractionalSecondDigits', 'timeZoneName']) if (shown[name] !== undefined) result[name] = shown[name];
      if (dateStyle !== undefined) result.dateStyle = dateStyle;
      if (timeStyle !== undefined) result.timeStyle = timeStyle;
      return result;
    },
  });
  return { DateTimeFormat, make, format };
}
