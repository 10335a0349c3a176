//! Order of texts: `localeCompare` and `Intl.Collator`.
//!
//! The order of the root of CLDR for Latin letters, digits and punctuation: letters first, then accents, then case. What is in no table comes
//! by its code point, as whole scripts do there. Spanish has the letter ñ.
(native, internal) => {
  const order = '\t\n\v\f\r \u00a0_-,;:!?.\'"()[]{}@*/\\&#%`^+<=>|~$0123456789';
  const FIRST_LETTER = 100, BEYOND = 1000;
  const primaries = new Int16Array(128);
  for (const [i, character] of [...order].entries()) if (character < '\x80') primaries[character.charCodeAt(0)] = i + 1;
  for (let i = 0; i < 26; i++) primaries[65 + i] = primaries[97 + i] = FIRST_LETTER + i * 2;
  const SPACES_AND_MARKS = order.indexOf('0');
  // Letters that are others with something in them, and pairs that are one.
  const inside = { ß: 'ss', ẞ: 'SS', æ: 'ae', Æ: 'AE', œ: 'oe', Œ: 'OE', ø: 'o\u0338', Ø: 'O\u0338', đ: 'd\u0335', Đ: 'D\u0335', ł: 'l\u0335', Ł: 'L\u0335', ı: 'i\u0335', þ: 'th', Þ: 'TH' };

  const elements = (text, rules) => {
    const list = [];
    if (rules.isSpanish) text = text.normalize('NFC');
    for (const one of text) {
      const isEnye = rules.isSpanish && (one === 'ñ' || one === 'Ñ');
      for (const character of isEnye ? [one] : (inside[one] ?? one).normalize('NFD')) {
        const point = character.codePointAt(0);
        if (point >= 0x300 && point <= 0x36f) { if (list.length > 0) list.at(-1).accents += character; continue; }
        const primary = isEnye ? FIRST_LETTER + 27 : point < 128 ? primaries[point] : character === '\u00a0' ? 7 : BEYOND + character.toLowerCase().codePointAt(0);
        if (primary === 0 || (rules.ignorePunctuation && primary <= SPACES_AND_MARKS)) continue;
        const form = (character !== character.toLowerCase() ? 2 : 0) + (one in inside ? 1 : 0);
        const before = list.at(-1);
        const isDigit = point >= 48 && point <= 57;
        if (rules.numeric && isDigit && before?.digits !== undefined) before.digits += character;
        else list.push({ primary: rules.numeric && isDigit ? primaries[48] : primary, accents: '', form, digits: rules.numeric && isDigit ? character : undefined });
      }
    }
    return list;
  };
  const sign = (a, b) => (a < b ? -1 : a > b ? 1 : 0);
  const numbers = (a, b) => {
    const [left, right] = [a, b].map((digits) => digits.replace(/^0+(?=.)/, ''));
    return sign(left.length, right.length) || sign(left, right);
  };
  const compareElements = (a, b, rules) => {
    const left = elements(a, rules), right = elements(b, rules), shared = Math.min(left.length, right.length);
    for (let i = 0; i < shared; i++) {
      const difference = sign(left[i].primary, right[i].primary) || (left[i].digits !== undefined && right[i].digits !== undefined ? numbers(left[i].digits, right[i].digits) : 0);
      if (difference) return difference;
    }
    if (left.length !== right.length) return sign(left.length, right.length);
    const tie = (key) => { for (let i = 0; i < shared; i++) { const difference = sign(left[i][key], right[i][key]); if (difference) return difference; } return 0; };
    const { sensitivity } = rules;
    return ((sensitivity === 'accent' || sensitivity === 'variant') && tie('accents')) ||
      ((sensitivity === 'case' || sensitivity === 'variant') && tie('form') * (rules.caseFirst === 'upper' ? -1 : 1)) || 0;
  };
  const plain = { numeric: false, ignorePunctuation: false, sensitivity: 'variant', caseFirst: 'false', isSpanish: false };
  // Texts in ASCII need no list of elements.
  const compare = (a, b, rules = plain) => {
    if (a === b) return 0;
    const isPlain = !rules.numeric && !rules.ignorePunctuation && rules.sensitivity === 'variant' && rules.caseFirst !== 'upper';
    if (!isPlain) return compareElements(a, b, rules);
    const shared = Math.min(a.length, b.length);
    let byCase = 0;
    for (let i = 0; i < shared; i++) {
      const left = a.charCodeAt(i), right = b.charCodeAt(i);
      if (left > 127 || right > 127) return compareElements(a, b, rules);
      const first = primaries[left], second = primaries[right];
      if (first === 0 || second === 0) return compareElements(a, b, rules);
      if (first !== second) {
        // An accent further on does not count, but one on this letter could, if it is a sign of its own.
        return a.charCodeAt(i + 1) > 127 || b.charCodeAt(i + 1) > 127 ? compareElements(a, b, rules) : sign(first, second);
      }
      if (left !== right && byCase === 0) byCase = left > right ? -1 : 1;
    }
    const longer = a.length > b.length ? a : b;
    if (longer.charCodeAt(shared) > 127) return compareElements(a, b, rules);
    return sign(a.length, b.length) || byCase;
  };

  const choice = (options, name, choices, otherwise) => {
    if (options[name] === undefined) return otherwise;
    const value = `${options[name]}`;
    if (!choices.includes(value)) throw new RangeError(`Value ${value} out of range for Intl.Collator options property ${name}`);
    return value;
  };
  const languages = ['en', 'de', 'fr', 'es', 'pt', 'it', 'nl'];
  class Collator {
    #rules; #locale; #usage; #compare;
    constructor(locales, options = {}) {
      if (options === null) throw new TypeError('Cannot convert undefined or null to object');
      // Where the order of a language is not here, that of the root is, as the standard says for locales that are not supported.
      const wanted = internal.lazy('locale').Intl.getCanonicalLocales(locales);
      this.#locale = wanted.find((locale) => languages.includes(locale.split('-')[0])) ?? 'en-US';
      this.#usage = choice(options, 'usage', ['sort', 'search'], 'sort');
      this.#rules = {
        sensitivity: choice(options, 'sensitivity', ['base', 'accent', 'case', 'variant'], 'variant'),
        ignorePunctuation: Boolean(options.ignorePunctuation), numeric: Boolean(options.numeric),
        caseFirst: choice(options, 'caseFirst', ['upper', 'lower', 'false'], 'false'), isSpanish: this.#locale.startsWith('es'),
      };
    }
    get compare() { return this.#compare ??= (a, b) => compare(`${a}`, `${b}`, this.#rules); }
    resolvedOptions() {
      const { sensitivity, ignorePunctuation, numeric, caseFirst } = this.#rules;
      return { locale: this.#locale, usage: this.#usage, sensitivity, ignorePunctuation, collation: 'default', numeric, caseFirst };
    }
    static supportedLocalesOf(locales) { return internal.lazy('locale').Intl.getCanonicalLocales(locales).filter((locale) => languages.includes(locale.split('-')[0])); }
  }
  Object.defineProperty(Collator.prototype, Symbol.toStringTag, { value: 'Intl.Collator', configurable: true });
  return { compare, Collator };
}
