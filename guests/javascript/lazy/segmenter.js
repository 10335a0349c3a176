//! `Intl.Segmenter`: where do the characters, the words and the sentences of a text end?
//! As in Unicode's annex 29, without its dictionaries: Chinese and Japanese words are single characters, Thai ones are not divided.
(native, internal) => {
  const intl = internal.lazy('intl');
  const Slots = intl.makeSlots('Segmenter');
  const EXTEND = '[\\p{M}\\p{Emoji_Modifier}\\u200c\\u200d\\uff9e\\uff9f\\u{e0020}-\\u{e007f}]';
  const CONTROL = '\\p{Cc}\\p{Zl}\\p{Zp}\\u200b\\ufeff';
  const HANGUL = '[\\u1100-\\u115f\\ua960-\\ua97c]+(?:[\\uac00-\\ud7a3]|[\\u1160-\\u11a7\\ud7b0-\\ud7c6])?[\\u1160-\\u11ff\\ud7b0-\\ud7fb]*|[\\uac00-\\ud7a3][\\u1160-\\u11ff\\ud7b0-\\ud7fb]*';
  const PICTURES = `\\p{Extended_Pictographic}(?:${EXTEND}*\\u200d\\p{Extended_Pictographic})*`;
  const CHARACTER = `\\r\\n|[${CONTROL}]|(?:\\p{RI}\\p{RI}|${PICTURES}|${HANGUL}|[^${CONTROL}])${EXTEND}*`;
  const SINGLE = '\\p{Script=Han}\\p{Script=Hiragana}';
  const LETTER = `(?![${SINGLE}])[\\p{L}\\p{Nl}\\p{Script=Katakana}]`;
  const WORD = `(?:${LETTER}|[\\p{Nd}_\\p{M}\\u200d]|(?<=[\\p{L}\\p{M}])['’.:·](?=${LETTER})|(?<=\\p{Nd})[.,;'’](?=\\p{Nd}))+`;
  // A sentence ends behind its sign, what closes after that, and spaces; not before a lower-case word, nor in a number or an abbreviation.
  // The names of the steps are those of the annex.
  const BREAK = '\\n\\r\\x85\\u2028\\u2029', STOP = '.\\u2024\\ufe52\\uff0e', END = '!?\\u203c\\u203d\\u2047-\\u2049\\u3002\\uff01\\uff1f\\uff61\\u061f\\u06d4\\u0964\\u0965';
  const MARK = '[\\p{M}\\p{Cf}]*', CLOSE = `(?:[\\p{Ps}\\p{Pe}\\p{Pi}\\p{Pf}"']${MARK})*`, SPACE = `(?:[\\p{Zs}\\t\\v\\f]${MARK})*`;
  const makeSentences = () => {
    const sticky = (text) => new RegExp(text, 'uy');
    const steps = {
      plain: sticky(`[^${BREAK}${STOP}${END}]*`), separator: sticky(`\\r\\n|[${BREAK}]`), sign: sticky(`[${STOP}${END}]${MARK}`), stop: sticky(`[${STOP}]`),
      digit: sticky('\\p{Nd}'), upper: sticky('\\p{Lu}'), cased: sticky(`(?<=[\\p{Lu}\\p{Ll}]${MARK})`), tail: sticky(CLOSE + SPACE),
      lower: sticky(`[^\\p{L}${BREAK}${STOP}${END}]*\\p{Ll}`), goesOn: sticky(`[-,:;\\u2013\\u2014\\u3001\\uff0c\\uff1a${STOP}${END}]`),
    };
    const match = (step, text, at) => {
      const pattern = steps[step];
      pattern.lastIndex = at;
      return pattern.test(text) ? pattern.lastIndex : -1;
    };
    const endOf = (text, at) => {
      for (;;) {
        at = match('plain', text, at);
        if (at >= text.length) return at;
        const separated = match('separator', text, at);
        if (separated >= 0) return separated;
        const next = match('sign', text, at), isStop = match('stop', text, at) >= 0;
        const isInside = isStop && (match('digit', text, next) >= 0 || (match('cased', text, at) >= 0 && match('upper', text, next) >= 0));
        if (isInside) { at = next; continue; }
        const after = match('tail', text, next);
        if ((isStop && match('lower', text, after) >= 0) || match('goesOn', text, after) >= 0) { at = after; continue; }
        return Math.max(after, match('separator', text, after));
      }
    };
    return function* (text) {
      for (let at = 0; at < text.length;) {
        const end = endOf(text, at);
        yield { 0: text.slice(at, end), index: at };
        at = end;
      }
    };
  };
  const texts = {
    grapheme: CHARACTER, word: `(?!\\p{M})${WORD}|[ \\u1680\\u2000-\\u2006\\u2008-\\u200a\\u205f\\u3000]+|${CHARACTER}`,
  };
  const patterns = new Map();
  const pieces = (text, granularity) => {
    if (!patterns.has(granularity)) patterns.set(granularity, granularity === 'sentence' ? makeSentences() : new RegExp(texts[granularity], 'gu'));
    const pattern = patterns.get(granularity);
    return granularity === 'sentence' ? pattern(text) : text.matchAll(pattern);
  };
  const isWordLike = (text) => /[\p{L}\p{N}]/u.test(text);

  class Segments {
    #text;
    #granularity;
    constructor(text, granularity) { this.#text = text; this.#granularity = granularity; }
    #data(segment, index) {
      const data = { segment, index, input: this.#text };
      if (this.#granularity === 'word') data.isWordLike = isWordLike(segment);
      return data;
    }
    *[Symbol.iterator]() { for (const { 0: segment, index } of pieces(this.#text, this.#granularity)) yield this.#data(segment, index); }
    containing(at = 0) {
      at = Math.trunc(Number(at)) || 0;
      if (at < 0 || at >= this.#text.length) return undefined;
      for (const data of this) if (at < data.index + data.segment.length) return data;
      return undefined;
    }
  }
  const Segmenter = intl.constructor('Segmenter', function (locales, settings) {
    if (new.target === undefined) throw new TypeError("Constructor Intl.Segmenter requires 'new'");
    const { locale } = intl.resolve(locales);
    if (settings !== undefined && (typeof settings !== 'object' || settings === null) && typeof settings !== 'function') throw new TypeError('Incorrect options value');
    const options = intl.optionsOf(settings);
    intl.choice(options, 'localeMatcher', ['lookup', 'best fit'], 'best fit', 'Intl.Segmenter');
    new Slots(this, { locale, granularity: intl.choice(options, 'granularity', ['grapheme', 'word', 'sentence'], 'grapheme', 'Intl.Segmenter') });
  }, {
    segment(text) { return new Segments(`${text}`, Slots.get(this, 'segment').granularity); },
    resolvedOptions() { return { ...Slots.get(this, 'resolvedOptions') }; },
  });
  return { Segmenter };
}
