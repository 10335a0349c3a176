//! `Intl.Segmenter`: where do the characters and the words of a text end?
//! As in Unicode's annex 29, without its dictionaries: Chinese and Japanese words are single characters, Thai ones are not divided.
(native, internal) => {
  const EXTEND = '[\\p{M}\\p{Emoji_Modifier}\\u200c\\u200d\\uff9e\\uff9f\\u{e0020}-\\u{e007f}]';
  const CONTROL = '\\p{Cc}\\p{Zl}\\p{Zp}\\u200b\\ufeff';
  const HANGUL = '[\\u1100-\\u115f\\ua960-\\ua97c]+(?:[\\uac00-\\ud7a3]|[\\u1160-\\u11a7\\ud7b0-\\ud7c6])?[\\u1160-\\u11ff\\ud7b0-\\ud7fb]*|[\\uac00-\\ud7a3][\\u1160-\\u11ff\\ud7b0-\\ud7fb]*';
  const PICTURES = `\\p{Extended_Pictographic}(?:${EXTEND}*\\u200d\\p{Extended_Pictographic})*`;
  const CHARACTER = `\\r\\n|[${CONTROL}]|(?:\\p{RI}\\p{RI}|${PICTURES}|${HANGUL}|[^${CONTROL}])${EXTEND}*`;
  const SINGLE = '\\p{Script=Han}\\p{Script=Hiragana}';
  const LETTER = `(?![${SINGLE}])[\\p{L}\\p{Nl}\\p{Script=Katakana}]`;
  const WORD = `(?:${LETTER}|[\\p{Nd}_\\p{M}\\u200d]|(?<=[\\p{L}\\p{M}])['’.:·](?=${LETTER})|(?<=\\p{Nd})[.,;'’](?=\\p{Nd}))+`;
  const patterns = { grapheme: new RegExp(CHARACTER, 'gu'), word: new RegExp(`(?!\\p{M})${WORD}|[ \\u1680\\u2000-\\u2006\\u2008-\\u200a\\u205f\\u3000]+|${CHARACTER}`, 'gu') };
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
    *[Symbol.iterator]() { for (const { 0: segment, index } of this.#text.matchAll(patterns[this.#granularity])) yield this.#data(segment, index); }
    containing(at = 0) {
      at = Math.trunc(Number(at)) || 0;
      if (at < 0 || at >= this.#text.length) return undefined;
      for (const data of this) if (at < data.index + data.segment.length) return data;
      return undefined;
    }
  }
  class Segmenter {
    #locale;
    #granularity;
    constructor(locales, options = {}) {
      [this.#locale = 'en-US'] = globalThis.Intl.getCanonicalLocales(locales);
      this.#granularity = `${options?.granularity ?? 'grapheme'}`;
      if (!['grapheme', 'word', 'sentence'].includes(this.#granularity)) throw new RangeError(`Value ${this.#granularity} out of range for Intl.Segmenter options property granularity`);
      if (!(this.#granularity in patterns)) throw new RangeError(`the granularity \`${this.#granularity}\` is not in the sandbox`);
    }
    segment(text) { return new Segments(`${text}`, this.#granularity); }
    resolvedOptions() { return { locale: this.#locale, granularity: this.#granularity }; }
  }
  return { Segmenter };
}
