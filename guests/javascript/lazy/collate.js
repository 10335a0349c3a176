//! Order of texts: which of two comes first?
//!
//! The order of ICU for letters, signs and Chinese characters, by tables that were made with it: letters first, then accents, then case.
//! What is in no table comes by its code point, as whole scripts do there.
(native, internal) => {
  const order = '\t\n\v\f\r \u00a0_-,;:!?.\'"()[]{}@*/\\&#%`^+<=>|~$0123456789';
  const FIRST_LETTER = 100;
  const primaries = new Int16Array(128);
  for (const [i, character] of [...order].entries()) if (character < '\x80') primaries[character.charCodeAt(0)] = i + 1;
  for (let i = 0; i < 26; i++) primaries[65 + i] = primaries[97 + i] = FIRST_LETTER + i * 2;
  // Behind the table come other scripts, then Chinese characters; the syllables of Korean come before Japanese ones.
  const OTHERS = 1e6, HAN = 4e6, FORMS = 64;
  // Letters that are others with something in them, and pairs that are one.
  const inside = { ß: 'ss', ẞ: 'SS', æ: 'ae', Æ: 'AE', œ: 'oe', Œ: 'OE', ø: 'o\u0338', Ø: 'O\u0338', đ: 'd\u0335', Đ: 'D\u0335', ł: 'l\u0335', Ł: 'L\u0335', ı: 'i\u0335', þ: 'th', Þ: 'TH' };
  // Of each language: a letter, and the letters that are its own and follow it. In front of `<` is what they come after.
  const NORDIC = 'z<æ,ä<ø,ö<å,aa';
  const ownLetters = {
    es: 'n<ñ', sv: 'z<å<ä,æ<ö,ø', fi: 'z<å<ä,æ<ö,ø', da: NORDIC, nb: NORDIC, no: NORDIC, tr: 'c<ç g<ğ h<ı o<ö s<ş u<ü',
    pl: 'a<ą c<ć e<ę l<ł n<ń o<ó s<ś z<ź<ż', cs: 'c<č h<ch r<ř s<š z<ž',
  };
  let table;
  const tableOf = () => {
    if (table !== undefined) return table;
    const { groups, accents } = native.localeData('order'), ranks = new Map(), marks = new Map();
    for (let i = 0; i < groups.length; i++) {
      let form = 0;
      for (const character of groups[i]) ranks.set(character, (i + 1) * FORMS + Math.min(form++, FORMS - 1));
    }
    let i = 0;
    for (const mark of accents) marks.set(mark, String.fromCharCode(++i));
    const primaryOf = (character) => Math.floor(ranks.get(character) / FORMS);
    return (table = { ranks, marks, digit: primaryOf('0'), symbols: primaryOf('`'), hangul: primaryOf('あ') - 1, primaryOf });
  };
  // Letters of a language, by their text: how far behind which letter.
  const tailored = new Map();
  const tailoring = (language) => {
    if (!Object.hasOwn(ownLetters, language)) return undefined;
    if (!tailored.has(language)) {
      const letters = new Map();
      for (const chain of ownLetters[language].split(' ')) {
        const [after, ...rest] = chain.split('<'), primary = tableOf().primaryOf(after);
        for (const [i, texts] of rest.entries()) {
          for (const [form, text] of texts.split(',').entries()) {
            const upper = text.toUpperCase(), title = upper[0] + text.slice(1);
            for (const [shape, one] of [text, title, upper].entries()) if (!letters.has(one)) letters.set(one, { primary: primary + (i + 1) / 16, form: form * 8 + (shape > 0 ? 2 : 0) });
          }
        }
      }
      // The dotless letter has a capital of its own.
      if (language === 'tr') letters.set('I', { ...letters.get('ı'), form: 2 });
      tailored.set(language, letters);
    }
    return tailored.get(language);
  };
  const hanOrders = new Map();
  const hanOrder = (name) => {
    if (name === undefined) return undefined;
    if (!hanOrders.has(name)) {
      const ranks = new Map();
      let i = 0;
      for (const character of native.localeData(`order/${name}`)) ranks.set(character, i++);
      hanOrders.set(name, ranks);
    }
    return hanOrders.get(name);
  };
  const isHan = (point) => (point >= 0x4e00 && point <= 0x9fff) || (point >= 0x3400 && point <= 0x4dbf) || (point >= 0xf900 && point <= 0xfaff) || (point >= 0x20000 && point <= 0x3ffff);
  const isHangul = (point) => point >= 0xac00 && point <= 0xd7a3;

  const elements = (text, rules) => {
    const list = [], { ranks, marks, digit, symbols, hangul } = tableOf(), letters = tailoring(rules.language);
    const push = (primary, form, isUpper = false) => { list.push({ primary, accents: '', form, isUpper, digits: undefined }); };
    const single = (character, form) => {
      const mark = marks.get(character);
      if (mark !== undefined) { if (list.length > 0) list.at(-1).accents += mark; return; }
      const point = character.codePointAt(0);
      const isDigit = point >= 48 && point <= 57, rank = ranks.get(character);
      if (rank !== undefined) {
        const primary = Math.floor(rank / FORMS);
        if (rules.ignorePunctuation && primary < symbols) return;
        if (rules.numeric && isDigit) {
          const before = list.at(-1);
          if (before?.digits !== undefined) { before.digits += character; return; }
          list.push({ primary: digit, accents: '', form, isUpper: false, digits: character });
          return;
        }
        push(primary, (rank % FORMS) * 2 + form, character !== character.toLowerCase());
      } else if (isHangul(point)) push(hangul + point / 65536, form);
      else if (isHan(point)) push(HAN + (hanOrder(rules.han)?.get(character) ?? 30000 + point), form);
      else if (!/\p{M}|\p{C}/u.test(character)) push(OTHERS + point, form);
    };
    const characters = [...text.normalize('NFC')];
    for (let i = 0; i < characters.length; i++) {
      const one = characters[i], pair = letters !== undefined && i + 1 < characters.length ? letters.get(one + characters[i + 1]) : undefined;
      const own = pair ?? letters?.get(one);
      if (own !== undefined) { push(own.primary, own.form, one !== one.toLowerCase()); if (pair !== undefined) i++; continue; }
      if (ranks.has(one) || isHangul(one.codePointAt(0))) { single(one, 0); continue; }
      const parts = inside[one] ?? one.normalize('NFKD'), form = parts === one.normalize('NFD') ? 0 : 1;
      for (const character of parts) single(character, form);
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
      ((sensitivity === 'case' || sensitivity === 'variant') && ((rules.caseFirst === 'upper' && -tie('isUpper')) || tie('form'))) || 0;
  };
  const plain = { numeric: false, ignorePunctuation: false, sensitivity: 'variant', caseFirst: 'false', language: 'en', han: undefined };
  // Texts in ASCII need no list of elements, but in languages where two letters can be one.
  const pairs = ['da', 'nb', 'no', 'cs', 'tr'];
  const compare = (a, b, rules = plain) => {
    if (a === b) return 0;
    const isPlain = !rules.numeric && !rules.ignorePunctuation && rules.sensitivity === 'variant' && rules.caseFirst !== 'upper' && !pairs.includes(rules.language);
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
  return { compare };
}
